// @ts-check
/**
 * Measures a mirror beside a bare recursive read, in one run.
 *
 *     node --expose-gc bench/mirror.mjs [ROUNDS]
 */
import { request } from "undici";
import { EtcdClient, Mirror } from "../dist/index.js";
import { ensureEtcd } from "../scripts/etcd-binaries.mjs";
import { startEtcdProcess } from "../scripts/etcd-process.mjs";

const KEYS = 100_000;
const IN_FLIGHT = 128;
const READS = 10_000_000;
/** How the keys lie: so many directories. */
const LAYOUTS = [100, 1];

const rounds = Number(process.argv[2] ?? 7);
const binary = ensureEtcd("3.4");
if ("missing" in binary) throw new Error(binary.missing);
const server = await startEtcdProcess({ binary: binary.path, v2: true });
const etcd = new EtcdClient({ urls: [server.url] });
try {
  for (const directories of LAYOUTS) await measure(directories);
} finally {
  await etcd.close();
  await server.remove();
}

/** @param {number} directories */
async function measure(directories) {
  const top = `/bench-${directories}`;
  const keys = keysBelow(top, directories);
  await fill(keys);
  console.log(`${KEYS} keys in ${directories} directories`);
  await measureMirror(top, keys);
  await measureLoading(top);
}

/** @param {string} top */
async function measureLoading(top) {
  /** @type {{ bare: number, ours: number, ratio: number }[]} */
  const ratios = [];
  for (let round = 0; round <= rounds; round++) {
    const bare = await timed(() => readBarely(top));
    const ours = await timed(() => load(top).then((mirror) => mirror.close()));
    // The first round warms up.
    if (round > 0) ratios.push({ bare, ours, ratio: ours / bare });
  }
  const of = (/** @type {"bare" | "ours" | "ratio"} */ what) =>
    median(ratios.map((round) => round[what]));
  console.log(`  a recursive read and JSON.parse: ${of("bare").toFixed(0)} ms`);
  console.log(`  a mirror, until it is ready: ${of("ours").toFixed(0)} ms`);
  console.log(`  ratio: ${of("ratio").toFixed(2)}`);
}

/** @param {string} top @param {readonly string[]} keys */
async function measureMirror(top, keys) {
  const before = heap();
  const mirror = await load(top);
  console.log(`  heap: ${((heap() - before) / KEYS).toFixed(0)} bytes per key`);
  const rates = [];
  for (let round = 0; round <= rounds; round++) rates.push(readRate(mirror, keys) / 1e6);
  console.log(`  get: ${median(rates.slice(1)).toFixed(1)} million per second`);
  console.log(`  list, the first time: ${(await timed(() => mirror.list(top))).toFixed(1)} ms`);
  console.log(`  all nodes in order: ${(await timed(() => [...mirror])).toFixed(1)} ms`);
  const order = await timed(() => [...mirror]);
  console.log(`  all nodes in order, again: ${order.toFixed(1)} ms`);
  await mirror.close();
}

/** @param {string} top */
async function load(top) {
  const mirror = new Mirror(etcd, top);
  await mirror.ready;
  return mirror;
}

/** @param {string} top */
async function readBarely(top) {
  const { body } = await request(`${server.url}/v2/keys${top}?recursive=true&quorum=true`);
  JSON.parse(await body.text());
}

/** @param {Mirror} mirror @param {readonly string[]} keys */
function readRate(mirror, keys) {
  const begun = performance.now();
  let found = 0;
  for (let n = 0; n < READS; n++) if (mirror.get(keys[(n * 7919) % KEYS] ?? "")) found++;
  if (found !== READS) throw new Error(`${READS - found} keys are missing`);
  return (READS / (performance.now() - begun)) * 1000;
}

/** @param {string} top @param {number} directories */
function keysBelow(top, directories) {
  const names = Array.from({ length: KEYS }, (_, n) => String(n).padStart(6, "0"));
  const keys = names.map((name, n) =>
    directories === 1 ? `${top}/${name}` : `${top}/${n % directories}/${name}`,
  );
  // Whole strings, as they come from anywhere but a concatenation.
  return /** @type {string[]} */ (JSON.parse(JSON.stringify(keys)));
}

/** @param {readonly string[]} keys */
async function fill(keys) {
  let next = 0;
  const work = async () => {
    for (let key = keys[next++]; key !== undefined; key = keys[next++]) {
      await etcd.setNode(key, `value of ${next}`, { noValueOnSuccess: true });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

function heap() {
  if (globalThis.gc === undefined) throw new Error("run with node --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** @param {() => unknown} action */
async function timed(action) {
  globalThis.gc?.();
  const begun = performance.now();
  await action();
  return performance.now() - begun;
}

/** @param {number[]} values */
function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
