import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import type { CallOptions, KeySpace, KeyWatch } from "../key-space/key-space.js";
import type { WatchRequest } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";
import { BackOff } from "../time/back-off.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { concerns } from "./concerns.js";

/** Milliseconds after which a watch has stood long enough to be opened again without delay. */
const LONG = 10_000;

/**
 * Waits for one event. A watch that ends or breaks without one is opened again, at the index from
 * which events are still owed: nothing in between is missed while etcd's history holds it.
 *
 * @throws EventIndexClearedError when the history is gone
 * @throws ClusterUnavailableError when no member takes the watch
 */
export async function watchOnce(
  keySpace: KeySpace,
  request: WatchRequest,
  clock: Clock,
  options: CallOptions,
): Promise<EtcdResponse> {
  const { key, recursive = false } = request;
  let current = request;
  let clusterId: string | undefined;
  let backOff = BackOff.none;
  for (;;) {
    const watch = await keySpace.openWatch(current, options);
    const openedAt = clock.monotonic();
    clusterId ??= watch.etcdClusterId;
    if (watch.etcdClusterId !== clusterId) {
      // Indexes of the cluster before mean nothing in this one: the watch begins anew.
      watch.close();
      clusterId = watch.etcdClusterId;
      current = { key, recursive };
      continue;
    }
    const event = await firstOf(watch);
    if (event !== undefined && concerns(request, event)) return event;
    // A foreign event was found at its index; without any event, all is owed since the beginning.
    const owed = current.waitIndex || watch.etcdIndex + 1;
    current = { ...request, waitIndex: event === undefined ? owed : event.node.modifiedIndex + 1 };
    if (event !== undefined) continue;
    // Proxies end what is silent: that says nothing against the next watch.
    if (clock.monotonic() - openedAt > LONG) backOff = BackOff.none;
    await sleep(backOff.delay(), clock, options.signal);
    backOff = backOff.next();
  }
}

/** The first event, or nothing when the watch ended or broke before it. */
async function firstOf(watch: KeyWatch): Promise<EtcdResponse | undefined> {
  try {
    for await (const event of watch) return event;
  } catch (error) {
    if (!(error instanceof ClusterUnavailableError)) throw error;
  }
  return undefined;
}
