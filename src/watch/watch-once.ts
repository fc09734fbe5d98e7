import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import { EventIndexClearedError } from "../errors/event-errors.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { KeyWatch } from "../key-space/key-space.js";
import { isRetryable } from "../key-space/shared/is-retryable.js";
import { matchesWatch } from "../key-space/shared/matches-watch.js";
import type { WatchRequest } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";
import { linkSignals } from "../time/link-signals.js";
import { ReconnectPace } from "../time/reconnect-pace.js";
import { sleep } from "../time/sleep.js";
import type { WatchSource } from "./watch-source.js";

/**
 * Milliseconds between two scans of history while a watch is open, because its connection may be
 * dead.
 */
const SCAN_INTERVAL_MS = 30_000;
/** Random share of this interval, so that many watches do not scan at the same time. */
const JITTER = 0.2;

/** Abort reason after the wait has ended. */
const WATCH_ENDED = new Error("the watch has ended");

type Source = Pick<WatchSource, "keySpace" | "reads" | "clock">;

/**
 * The first event, from the connection or from history; or the index from which events are pending.
 */
type FirstResult = { readonly event: EtcdResponse } | { readonly pendingSince: number };

/**
 * Waits for one event. A watch that ends or breaks without an event is opened again at the first
 * pending index: no event is missed as long as etcd's history contains it. History is scanned from
 * time to time for events that were sent into a dead connection.
 *
 * @throws EventIndexClearedError when history no longer reaches the pending index
 * @throws ClusterUnavailableError when no member accepts the watch
 */
export async function watchOnce(
  source: Source,
  request: WatchRequest,
  options: CallOptions,
): Promise<EtcdResponse> {
  const { key, recursive = false } = request;
  const pace = new ReconnectPace(source.clock);
  let current = request;
  let clusterId: string | undefined;
  for (;;) {
    pace.opens();
    const watch = await source.keySpace.openWatch(current, options);
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
    const first = await firstOf(source, watch, { key, recursive, since }, options.signal);
    if ("event" in first && matchesWatch(request, first.event)) return first.event;
    // The event does not match the watch; continue after its index.
    const pendingSince = "event" in first ? first.event.node.modifiedIndex + 1 : first.pendingSince;
    current = { ...request, waitIndex: pendingSince };
    if (pendingSince > since) pace.progress();
    if ("event" in first) continue;
    // A proxy may close idle connections. That is no failure of the next watch.
    await pace.pause(options.signal);
  }
}

/** The events that are pending. */
interface PendingEvents {
  readonly key: string;
  readonly recursive: boolean;
  /** First pending index; advanced by scans. */
  since: number;
}

/** Waits for the first result of the watch or a scan, and closes the watch. */
async function firstOf(
  source: Source,
  watch: KeyWatch,
  pending: PendingEvents,
  signal: AbortSignal | undefined,
): Promise<FirstResult> {
  const closing = new AbortController();
  const either = linkSignals(signal, closing.signal);
  const scanResult = scanRepeatedly(source, watch, pending, either.signal);
  scanResult.catch(() => {});
  try {
    return await Promise.race([readFirst(watch, pending), scanResult]);
  } finally {
    closing.abort(WATCH_ENDED);
    either.unlink();
    watch.close();
  }
}

/** Reads the first event, or the pending index when the watch ended or broke without an event. */
async function readFirst(watch: KeyWatch, pending: PendingEvents): Promise<FirstResult> {
  try {
    for await (const event of watch) return { event };
  } catch (error) {
    if (!(error instanceof ClusterUnavailableError)) throw error;
  }
  return { pendingSince: pending.since };
}

/** Scans until history has an event. Stays pending after an abort, which the watch reports. */
async function scanRepeatedly(
  { reads, clock }: Source,
  { etcdClusterId }: KeyWatch,
  pending: PendingEvents,
  signal: AbortSignal,
): Promise<FirstResult> {
  for (;;) {
    try {
      await sleep(SCAN_INTERVAL_MS * (1 - JITTER * Math.random()), clock, signal);
      const scan = await reads.scan({ ...pending }, signal);
      if (scan.etcdClusterId !== etcdClusterId) continue;
      const [event] = scan.events;
      if (event !== undefined) return { event };
      pending.since = Math.max(pending.since, (scan.provenIndex ?? 0) + 1);
    } catch (error) {
      if (signal.aborted) return await new Promise(() => {});
      // Only history is of no use; the connection may still be alive.
      if (!isRetryable(error) && !(error instanceof EventIndexClearedError)) throw error;
    }
  }
}
