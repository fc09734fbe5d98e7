import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import type { CallOptions, KeySpace, KeyWatch } from "../key-space/key-space.js";
import type { WatchRequest } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";
import { BackOff } from "../time/back-off.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { concerns } from "./concerns.js";

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
  let current = request;
  let backOff = BackOff.none;
  for (;;) {
    const watch = await keySpace.openWatch(current, options);
    const event = await firstOf(watch);
    if (event !== undefined && concerns(request, event)) return event;
    // A foreign event was found at its index; without any event, all is owed since the beginning.
    const owed = current.waitIndex || watch.etcdIndex + 1;
    current = { ...request, waitIndex: event === undefined ? owed : event.node.modifiedIndex + 1 };
    if (event !== undefined) continue;
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
