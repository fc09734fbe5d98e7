import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { KeySpace, KeyWatch } from "../key-space/key-space.js";
import { matchesWatch } from "../key-space/shared/matches-watch.js";
import type { WatchRequest } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";
import { firstOf } from "../stream/first-of.js";
import type { Clock } from "../time/clock.js";
import { ReconnectPace } from "../time/reconnect-pace.js";

/** What {@link watchOnce} depends on. */
interface WatchOnceSource {
  readonly keySpace: Pick<KeySpace, "openWatch">;
  readonly clock: Clock;
}

/**
 * Waits for one event. A watch that ends or breaks without an event is opened again at the first
 * pending index: no event is missed as long as etcd's history contains it.
 *
 * @throws EventIndexClearedError when history no longer reaches the pending index
 * @throws ClusterUnavailableError when no member accepts the watch
 */
export async function watchOnce(
  { keySpace, clock }: WatchOnceSource,
  request: WatchRequest,
  options: CallOptions,
): Promise<EtcdResponse> {
  const { key, recursive = false } = request;
  const pace = new ReconnectPace(clock);
  let current = request;
  let clusterId: string | undefined;
  for (;;) {
    pace.opens();
    const watch = await keySpace.openWatch(current, options);
    clusterId ??= watch.etcdClusterId;
    if (watch.etcdClusterId !== clusterId) {
      // Indexes of another cluster are not valid here: start again.
      watch.close();
      clusterId = watch.etcdClusterId;
      current = { key, recursive };
      continue;
    }
    // Without an event, everything after the start of the watch is pending.
    const since = current.waitIndex || watch.etcdIndex + 1;
    const event = await firstEventOf(watch);
    if (event !== undefined && matchesWatch(request, event)) return event;
    // The event does not match the watch; continue after its index.
    const next = event === undefined ? watch.provenIndex + 1 : event.node.modifiedIndex + 1;
    current = { ...request, waitIndex: Math.max(since, next) };
    if (next > since) pace.progress();
    // A proxy may close idle connections. That is no failure of the next watch.
    if (event === undefined) await pace.pause(options.signal);
  }
}

/** Returns the first event, or `undefined` when the watch ended or broke without an event. */
async function firstEventOf(watch: KeyWatch): Promise<EtcdResponse | undefined> {
  try {
    return await firstOf(watch);
  } catch (error) {
    if (!(error instanceof ClusterUnavailableError)) throw error;
    return undefined;
  } finally {
    watch.close();
  }
}
