import type { EtcdResponse } from "../../../model/response.js";
import { offAbort, onAbort } from "../../../stream/on-abort.js";
import { socketTimeout } from "../../../time/clock.js";
import { linkSignals } from "../../../time/link-signals.js";
import { sleep } from "../../../time/sleep.js";
import { OtherStoreError } from "../../shared/feed.js";
import { isRetryable } from "../../shared/is-retryable.js";
import type { SubscribeRequest } from "../../subscription.js";
import { type BackfillTarget, HistoryBackfill } from "./history-backfill.js";
import type { LiveStream } from "./live-stream.js";
import { ProbeInterval } from "./probe-interval.js";
import type { SessionContext } from "./session-context.js";
import type { WatchProgress } from "./watch-progress.js";

/**
 * Changes of the complete store after which a scan is due. A scan takes time, and history keeps
 * 1000.
 */
const MAX_UNPROVEN_CHANGES = 200;
/** Number of changes that etcd's history keeps. */
const HISTORY_SIZE = 1_000;
/** Milliseconds after which a scan is due, as long as scans can prove that nothing is missing. */
const SCAN_DUE_MS = 2_500;
/**
 * Milliseconds to wait for an event when history no longer reaches the resume point and scans can
 * keep up with the store. After that only a resync helps.
 */
const RESYNC_DUE_MS = 5_000;
/** Duration of a scan, in milliseconds, below which scans keep up. */
const FAST_SCAN_MS = 1_000;
/**
 * Minimum milliseconds between two probes of a fast store: scans return the index of the store too.
 */
const MIN_PROBE_INTERVAL_MS = 1_000;
/** Milliseconds within which a stream must deliver an event that a scan has found. */
const EVENT_TIMEOUT_MS = 1_000;
/** Milliseconds until the next scan after one that proved nothing; doubled each time. */
const UNPROVEN_RETRY_MS = 1_000;

/** The state that the monitor observes. */
export interface Monitored {
  readonly progress: WatchProgress;
  readonly target: BackfillTarget;
  /** The connection that should deliver the events. */
  readonly stream: LiveStream | undefined;
  /** Whether all changes before the start of that connection were received. */
  readonly isCovered: boolean;
  /** Whether a response comes from the watched cluster. */
  isOf(clusterId: string): boolean;
  /** Called when the stream did not deliver an event that a scan has found. */
  onLate(stream: LiveStream): void;
}

/**
 * Reads the index of the store, and scans history to prove that the watch misses nothing or to find
 * what it misses. In that case it replaces the connection. A silent connection proves nothing: it
 * may be dead.
 */
export class LivenessMonitor {
  readonly #context: SessionContext;
  readonly #request: SubscribeRequest;
  readonly #watched: Monitored;
  readonly #interval: ProbeInterval;
  readonly #startedAt: number;
  /** Index of the store from the last probe. */
  #storeIndex = 0;
  #probedAt = Number.NEGATIVE_INFINITY;
  #scanAfter = Number.NEGATIVE_INFINITY;
  /** Duration of the last scan in milliseconds, queueing included. */
  #scanDuration = 0;
  /** Indexes that callers wait for. */
  readonly #wanted = new Set<{ readonly index: number }>();
  /** Whether {@link prove} was called since the last check began. */
  #isWanted = false;
  /** Ends the pause. */
  #wake = new AbortController();
  /** Number of consecutive scans that proved nothing. */
  #unproven = 0;

  constructor(context: SessionContext, request: SubscribeRequest, watched: Monitored) {
    this.#context = context;
    this.#request = request;
    this.#watched = watched;
    this.#interval = new ProbeInterval(request.pollInterval);
    this.#startedAt = context.clock.monotonic();
  }

  /** Never resolves. @throws OtherStoreError, EventIndexClearedError, and the errors of a probe */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      const startedAt = this.#now;
      const { stream } = this.#watched;
      if (stream !== undefined) await this.#check(stream, signal);
      const wait = startedAt + this.#interval.jittered() - this.#now;
      if (wait > 0) await this.#pause(wait, signal);
    }
  }

  /** Scans soon if a change up to the index may be pending. The returned function ends that. */
  prove(index: number): () => void {
    const wanted = { index };
    this.#wanted.add(wanted);
    this.#isWanted = true;
    this.#wake.abort(new Error("a caller waits for an index"));
    return () => void this.#wanted.delete(wanted);
  }

  /** Waits until the time is over, or {@link prove} is called. */
  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#isWanted) return;
    this.#wake = new AbortController();
    const either = linkSignals(signal, this.#wake.signal);
    try {
      await sleep(milliseconds, this.#context.clock, either.signal);
    } catch (error) {
      if (signal.aborted) throw error;
    } finally {
      either.unlink();
    }
  }

  async #check(stream: LiveStream, signal: AbortSignal): Promise<void> {
    this.#isWanted = false;
    const isFast = this.#interval.milliseconds < MIN_PROBE_INTERVAL_MS;
    if (!isFast || this.#now - this.#probedAt >= MIN_PROBE_INTERVAL_MS) {
      await this.#probe(stream, signal);
    }
    if (this.#isScanDue) await this.#scan(stream, signal);
  }

  async #probe(stream: LiveStream, signal: AbortSignal): Promise<void> {
    const { progress } = this.#watched;
    const { newest } = progress;
    const { reads } = this.#context;
    // An unchanged file needs no history.
    const isAlone = !this.#request.recursive && this.#lag >= HISTORY_SIZE;
    const requestedAt = this.#now;
    const probe = await (isAlone
      ? reads.probeAlone(stream.watch.etcdServer, this.#request, signal)
      : reads.probe(stream.watch.etcdServer, this.#request, signal));
    if (!this.#watched.isOf(probe.etcdClusterId)) throw new OtherStoreError();
    this.#probedAt = requestedAt;
    this.#storeIndex = probe.index;
    this.#interval.record(probe.index, requestedAt);
    progress.takeProbe(probe, requestedAt, newest);
  }

  /** Known or estimated number of changes of the store after the resume point. */
  get #lag(): number {
    const index = Math.max(this.#storeIndex, this.#interval.estimateAt(this.#now));
    return index - this.#watched.progress.resumePoint.index;
  }

  get #isScanDue(): boolean {
    const { isCovered, progress } = this.#watched;
    if (!isCovered || this.#now < this.#scanAfter) return false;
    const { pollInterval } = this.#request;
    const staleFor = this.#now - (progress.currentAt ?? this.#startedAt);
    if (this.#lag >= HISTORY_SIZE) {
      const dueAfter = this.#keepsUp ? RESYNC_DUE_MS : pollInterval;
      return staleFor >= Math.min(dueAfter, pollInterval);
    }
    if (this.#lag >= MAX_UNPROVEN_CHANGES) return true;
    const isPending = (index: number): boolean =>
      progress.resumePoint.isPending(Math.min(index, this.#storeIndex));
    if ([...this.#wanted].some(({ index }) => isPending(index))) return true;
    const isBehind = progress.resumePoint.isPending(this.#storeIndex);
    return isBehind && staleFor >= Math.min(SCAN_DUE_MS, pollInterval);
  }

  /** Whether scans can be expected to prove everything once the watch has caught up. */
  get #keepsUp(): boolean {
    return (
      this.#interval.milliseconds >= MIN_PROBE_INTERVAL_MS && this.#scanDuration < FAST_SCAN_MS
    );
  }

  async #scan(stream: LiveStream, signal: AbortSignal): Promise<void> {
    const { progress, target } = this.#watched;
    const { since, isPartial: partial, next } = progress.resumePoint;
    if (since === undefined) return;
    const { key, recursive } = this.#request;
    const startedAt = this.#now;
    const scan = await this.#ignoreTransient(
      this.#context.reads.scan({ key, recursive, since, partial }, signal),
      signal,
    );
    this.#scanDuration = this.#now - startedAt;
    if (scan === undefined) return;
    // The response of a member that is behind says nothing about the store.
    if (scan.etcdIndex >= this.#storeIndex) this.#interval.record(scan.etcdIndex, startedAt);
    const isNew = target.takeScan(scan);
    this.#recordProof(isNew || scan.provenIndex !== undefined || progress.resumePoint.next > next);
    if (!isNew) return;
    const index = lastIndexWithin(this.#request.key, scan.events);
    if (index > 0) this.#expectEvent(stream, index, signal);
    await this.#ignoreTransient(new HistoryBackfill(target, scan.etcdIndex).fetch(signal), signal);
  }

  /** A transient failure proves nothing: the stream may still be alive. */
  async #ignoreTransient<T>(request: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await request;
    } catch (error) {
      if (signal.aborted || !isRetryable(error)) throw error;
      this.#recordProof(false);
      return undefined;
    }
  }

  #recordProof(isProof: boolean): void {
    if (isProof) this.#unproven = 0;
    else {
      const delay = UNPROVEN_RETRY_MS * 2 ** this.#unproven++;
      this.#scanAfter = this.#now + Math.min(delay, this.#request.pollInterval);
    }
  }

  /** Reports the stream as late if it has not delivered the event in time. */
  #expectEvent(stream: LiveStream, index: number, signal: AbortSignal): void {
    const cancel = socketTimeout(this.#context.clock, EVENT_TIMEOUT_MS, () => {
      offAbort(signal, cancel);
      const isReplaced = stream !== this.#watched.stream;
      if (!isReplaced && stream.lastIndex < index) this.#watched.onLate(stream);
    });
    if (signal.aborted) cancel();
    else onAbort(signal, cancel);
  }

  get #now(): number {
    return this.#context.clock.monotonic();
  }
}

/** Index of the last event at or below the key. A scan can also return other events. */
function lastIndexWithin(key: string, events: readonly EtcdResponse[]): number {
  const path = key.replace(/\/$/, "");
  const isWithin = ({ node }: EtcdResponse): boolean =>
    node.key === path || node.key.startsWith(`${path}/`);
  return events.findLast(isWithin)?.node.modifiedIndex ?? 0;
}
