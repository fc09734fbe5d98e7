import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import { EventIndexClearedError } from "../errors/event-errors.js";
import type { CallOptions, KeyWatch } from "../key-space/key-space.js";
import { isRetryable } from "../key-space/shared/is-retryable.js";
import { matchesWatch } from "../key-space/shared/matches-watch.js";
import type { WatchRequest } from "../model/key-request.js";
import type { EtcdResponse } from "../model/response.js";
import { linkSignals } from "../time/follow.js";
import { ReconnectPace } from "../time/reconnect-pace.js";
import { sleep } from "../time/sleep.js";
import type { WatchSource } from "./watch-source.js";

/** Milliseconds between two scans of history beside a watch, whose connection may be dead. */
const SCAN_INTERVAL_MS = 30_000;
/** Share of that which is random, so that many watches do not scan at the same time. */
const JITTER = 0.2;

/** Why a watch is closed, or no longer scanned for. */
const OVER = new Error("the watch has ended");

/** Where one event is waited for. */
type Source = Pick<WatchSource, "keySpace" | "reads" | "clock">;

/** A first event, of the connection or of history; or the index from which events are still owed. */
type Found = { readonly event: EtcdResponse } | { readonly owed: number };

/**
 * Waits for one event. A watch that ends or breaks without one is opened again, at the index from
 * which events are still owed: nothing in between is missed while etcd's history holds it. History is
 * scanned from time to time for what was sent into a dead connection.
 *
 * @throws EventIndexClearedError when the history is gone
 * @throws ClusterUnavailableError when no member takes the watch
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
      // Indexes of the cluster before mean nothing in this one: the watch begins anew.
      watch.close();
      clusterId = watch.etcdClusterId;
      current = { key, recursive };
      continue;
    }
    // Without any event, all is owed since the beginning.
    const since = current.waitIndex || watch.etcdIndex + 1;
    const found = await firstOf(source, watch, { key, recursive, since }, options.signal);
    if ("event" in found && matchesWatch(request, found.event)) return found.event;
    // A foreign event was found at its index.
    const owed = "event" in found ? found.event.node.modifiedIndex + 1 : found.owed;
    current = { ...request, waitIndex: owed };
    if (owed > since) pace.progress();
    if ("event" in found) continue;
    // Proxies end what is silent: that says nothing against the next watch.
    await pace.pause(options.signal);
  }
}

/** What a watch must have shown. */
interface Owed {
  readonly key: string;
  readonly recursive: boolean;
  /** First index of which an event is owed. */
  since: number;
}

/** Waits for what a watch or a scan brings first. Ends with the watch. */
async function firstOf(
  source: Source,
  watch: KeyWatch,
  owed: Owed,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const closing = new AbortController();
  const either = linkSignals(signal, closing.signal);
  const scanned = scanBeside(source, watch, owed, either.signal);
  scanned.catch(() => {});
  try {
    return await Promise.race([readFirst(watch, owed), scanned]);
  } finally {
    closing.abort(OVER);
    either.unlink();
    watch.close();
  }
}

/** The first event; when the watch ended or broke before it, what is owed then. */
async function readFirst(watch: KeyWatch, owed: Owed): Promise<Found> {
  try {
    for await (const event of watch) return { event };
  } catch (error) {
    if (!(error instanceof ClusterUnavailableError)) throw error;
  }
  return { owed: owed.since };
}

/** Scans until history holds an event. After an abort it stays pending: the watch tells of that. */
async function scanBeside(
  { reads, clock }: Source,
  { etcdClusterId }: KeyWatch,
  owed: Owed,
  signal: AbortSignal,
): Promise<Found> {
  for (;;) {
    try {
      await sleep(SCAN_INTERVAL_MS * (1 - JITTER * Math.random()), clock, signal);
      const scan = await reads.scan({ ...owed }, signal);
      if (scan.etcdClusterId !== etcdClusterId) continue;
      const [event] = scan.events;
      if (event !== undefined) return { event };
      owed.since = Math.max(owed.since, (scan.provenIndex ?? 0) + 1);
    } catch (error) {
      if (signal.aborted) return await new Promise(() => {});
      // The connection may be alive: only history can no longer tell.
      if (!isRetryable(error) && !(error instanceof EventIndexClearedError)) throw error;
    }
  }
}
