// @ts-check
/** One change, and the watchers of many gateways: when has the last watcher the change, and what does that cost? */

/**
 * What was measured, in µs of CPU.
 *
 * @typedef {object} Costs
 * @property {number} base until the first watcher of a small system has the change
 * @property {number} event of a gateway, for each of its polls
 * @property {number} poll of a gateway, for the next poll of a watcher
 * @property {number} fanOut of etcd, for each gateway that watches
 * @property {number} reader of the program that reads all responses on the machine of the gateways; 0: elsewhere
 */

/**
 * @typedef {object} System
 * @property {number} watchers
 * @property {number} gateways
 * @property {number} cores that the gateways share, with the reader
 * @property {number} roundTrip µs, after which a watcher's next poll arrives
 */

/**
 * Times in ms after the change.
 *
 * @typedef {object} Outcome
 * @property {number} median when half of the watchers have it
 * @property {number} last
 * @property {number} ready when all watchers wait again: the least distance of two changes that no watcher reads late
 * @property {number} cpu ms of all gateways and of etcd, for one change
 */

/**
 * A gateway is one process: it sends the event to its polls, one after another, and then receives the next polls in the
 * order in which their watchers have got the event.
 *
 * @param {System} system
 * @param {Costs} costs
 * @returns {Outcome}
 */
export function simulate({ watchers, gateways, cores, roundTrip }, costs) {
  const processes = gateways + (costs.reader > 0 ? 1 : 0);
  // Processes that share cores take turns.
  const slowness = Math.max(1, processes / cores);
  const [event, next] = [costs.event * slowness, costs.poll * slowness];
  const each = spread(watchers, gateways).map((polls, gateway) => {
    const begun = costs.base + gateway * costs.fanOut;
    const sent = begun + polls * event;
    // The next polls wait for the gateway, or the gateway waits for the last of them.
    const ready = Math.max(
      sent + polls * next,
      begun + event + roundTrip + polls * next,
      sent + roundTrip + next,
    );
    return { polls, begun, sent, ready: polls === 0 ? begun : ready };
  });
  const read = costs.base + watchers * costs.reader * slowness;
  const last = Math.max(read, ...each.map(({ sent }) => sent));
  const deliveredAt = (/** @type {number} */ time) =>
    each.reduce((sum, { polls, begun }) => {
      return sum + Math.min(polls, Math.max(0, Math.floor((time - begun) / event)));
    }, 0);
  return {
    median: halved(costs.base, last, (time) => deliveredAt(time) >= watchers / 2) / 1000,
    last: last / 1000,
    ready: Math.max(read, ...each.map((gateway) => gateway.ready)) / 1000,
    cpu: (watchers * (costs.event + costs.poll) + gateways * costs.fanOut) / 1000,
  };
}

/** The least time at which something is so, within 1 µs. @param {number} from @param {number} to @param {(time: number) => boolean} isSo */
function halved(from, to, isSo) {
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (isSo(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The fewest gateways, each on a core of its own, with which the last watcher has a change in time.
 *
 * @param {number} watchers
 * @param {number} within ms
 * @param {Costs} costs
 * @returns {number | undefined} undefined: none are enough
 */
export function gatewaysNeeded(watchers, within, costs) {
  if ((costs.base + costs.event) / 1000 > within) return undefined;
  const last = (/** @type {number} */ gateways) =>
    simulate({ watchers, gateways, cores: gateways, roundTrip: 0 }, costs).last;
  const atLeast = Math.max(1, Math.floor((watchers * costs.event) / 1000 / within));
  // The spread of the watchers, and the fan-out of etcd, need a little more than an even share.
  for (let gateways = atLeast; gateways <= 2 * atLeast + 10; gateways++) {
    if (last(gateways) <= within) return gateways;
  }
  return undefined;
}

/** Watchers choose a gateway by chance, the same in every run. @param {number} watchers @param {number} gateways */
function spread(watchers, gateways) {
  const counts = Array.from({ length: gateways }, () => 0);
  let state = 1;
  for (let n = 0; n < watchers; n++) {
    // Park and Miller's generator.
    state = (state * 48_271) % 2_147_483_647;
    const gateway = state % gateways;
    counts[gateway] = (counts[gateway] ?? 0) + 1;
  }
  return counts;
}
