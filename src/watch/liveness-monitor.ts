import { isRetryable } from "../key-space/shared/is-retryable.js";
import type { EtcdResponse } from "../model/response.js";
import { onAbort } from "../stream/on-abort.js";
import { deadline } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { type BackfillTarget, HistoryBackfill } from "./history-backfill.js";
import type { LiveStream } from "./live-stream.js";
import { ProbeInterval } from "./probe-interval.js";
import { OtherCluster, type WatchProgress } from "./watch-progress.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";

/** Changes of the whole store that may be unproven: a scan takes its time, and history holds 1000. */
const SCAN_LAG = 200;
/** Changes of which etcd's history no longer holds the first. */
const HISTORY_SIZE = 1_000;
/** Milliseconds for which any change may be unproven, as long as scans can prove that there are none. */
const SCAN_PATIENCE_MS = 2_500;
/**
 * Milliseconds to wait for an event when history no longer holds the first of the pending changes, while
 * scans can keep up with the store. Then a resync is the only way on.
 */
const RESYNC_PATIENCE_MS = 5_000;
/** Milliseconds in which a scan is done while scans can keep up. */
const PROMPT_SCAN_MS = 1_000;
/** Milliseconds between two probes while the store moves fast: a scan shows its index as well. */
const HURRIED_PROBE_MS = 1_000;
/** Milliseconds in which a stream must bring an event that a scan has found. */
const LATE_MS = 1_000;
/** Milliseconds until the next scan after one that proved nothing; doubled with each. */
const UNPROVEN_DELAY_MS = 1_000;

/** What the monitor watches over. */
export interface Monitored {
  readonly progress: WatchProgress;
  readonly target: BackfillTarget;
  /** The connection that should bring the events. */
  readonly stream: LiveStream | undefined;
  /** Whether nothing is pending before the beginning of that connection. */
  readonly isCovered: boolean;
  /** Whether an answer is of the cluster that is watched. */
  isOf(clusterId: string): boolean;
  /** The stream has not brought an event that a scan has found. */
  onLate(stream: LiveStream): void;
}

/**
 * Finds out how far the store is, and proves by scans of its history that nothing is pending for the
 * watch, or finds what is. The connection that should have brought it is replaced then. Its silence
 * alone says nothing: it may be dead, and this process cannot know.
 */
export class LivenessMonitor {
  readonly #source: WatchSource;
  readonly #settings: WatchSettings;
  readonly #watched: Monitored;
  readonly #interval: ProbeInterval;
  readonly #startedAt: number;
  /** Index of the store by the last probe. */
  #storeIndex = 0;
  #probedAt = Number.NEGATIVE_INFINITY;
  #scanAfter = Number.NEGATIVE_INFINITY;
  /** Milliseconds that the last scan took, its wait for others included. */
  #scanTook = 0;
  /** Scans in a row that proved nothing. */
  #unproven = 0;

  constructor(source: WatchSource, settings: WatchSettings, watched: Monitored) {
    this.#source = source;
    this.#settings = settings;
    this.#watched = watched;
    this.#interval = new ProbeInterval(settings.pollInterval);
    this.#startedAt = source.clock.monotonic();
  }

  /** Never resolves. @throws OtherCluster, EventIndexClearedError, and what a probe fails with */
  async run(signal: AbortSignal): Promise<never> {
    for (;;) {
      const begunAt = this.#now;
      const { stream } = this.#watched;
      if (stream !== undefined) await this.#look(stream, signal);
      const wait = begunAt + this.#interval.jittered() - this.#now;
      if (wait > 0) await sleep(wait, this.#source.clock, signal);
    }
  }

  async #look(stream: LiveStream, signal: AbortSignal): Promise<void> {
    const isHurried = this.#interval.milliseconds < HURRIED_PROBE_MS;
    if (!isHurried || this.#now - this.#probedAt >= HURRIED_PROBE_MS) {
      await this.#probe(stream, signal);
    }
    if (this.#isScanDue) await this.#scan(stream, signal);
  }

  async #probe(stream: LiveStream, signal: AbortSignal): Promise<void> {
    const { progress } = this.#watched;
    const { newest } = progress;
    const { reads } = this.#source;
    // A file that has not changed needs no history.
    const isAlone = !this.#settings.recursive && this.#lag >= HISTORY_SIZE;
    const askedAt = this.#now;
    const probe = await (isAlone
      ? reads.probeAlone(stream.watch, signal)
      : reads.probe(stream.watch, signal));
    if (!this.#watched.isOf(probe.etcdClusterId)) throw new OtherCluster();
    this.#probedAt = askedAt;
    this.#storeIndex = probe.index;
    this.#interval.note(probe.index, askedAt);
    progress.takeProbe(probe, askedAt, newest);
  }

  /** Changes of the store that are not proven to be none of the watched key, as far as is known. */
  get #lag(): number {
    const index = Math.max(this.#storeIndex, this.#interval.estimateAt(this.#now));
    return index - this.#watched.progress.resumePoint.index;
  }

  get #isScanDue(): boolean {
    const { isCovered, progress } = this.#watched;
    if (!isCovered || this.#now < this.#scanAfter) return false;
    const { pollInterval } = this.#settings;
    const staleFor = this.#now - (progress.currentAt ?? this.#startedAt);
    if (this.#lag >= HISTORY_SIZE) {
      const patience = this.#keepsUp ? RESYNC_PATIENCE_MS : pollInterval;
      return staleFor >= Math.min(patience, pollInterval);
    }
    if (this.#lag >= SCAN_LAG) return true;
    const isBehind = progress.resumePoint.isPending(this.#storeIndex);
    return isBehind && staleFor >= Math.min(SCAN_PATIENCE_MS, pollInterval);
  }

  /** Whether scans are likely to prove everything once the watch has caught up. */
  get #keepsUp(): boolean {
    return this.#interval.milliseconds >= HURRIED_PROBE_MS && this.#scanTook < PROMPT_SCAN_MS;
  }

  async #scan(stream: LiveStream, signal: AbortSignal): Promise<void> {
    const { progress, target } = this.#watched;
    const { since, isPartial: partial, next } = progress.resumePoint;
    if (since === undefined) return;
    const { key, recursive } = this.#settings;
    const isStale =
      this.#now - (progress.currentAt ?? this.#startedAt) >= this.#settings.pollInterval;
    const until = isStale ? { until: this.#storeIndex } : {};
    const begunAt = this.#now;
    const scan = await this.#orUnproven(
      this.#source.reads.scan({ key, recursive, since, partial, ...until }, signal),
      signal,
    );
    this.#scanTook = this.#now - begunAt;
    if (scan === undefined) return;
    // Of a member that is behind, it says nothing of the store.
    if (scan.etcdIndex >= this.#storeIndex) this.#interval.note(scan.etcdIndex, begunAt);
    const isNew = target.takeScan(scan);
    this.#note(isNew || scan.provenIndex !== undefined || progress.resumePoint.next > next);
    if (!isNew) return;
    const index = lastWithin(this.#settings.key, scan.events);
    if (index > 0) this.#expect(stream, index, signal);
    await this.#orUnproven(new HistoryBackfill(target, scan.etcdIndex).fetch(signal), signal);
  }

  /** A failure that may pass is no news: the stream may still be alive. */
  async #orUnproven<T>(asked: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    try {
      return await asked;
    } catch (error) {
      if (signal.aborted || !isRetryable(error)) throw error;
      this.#note(false);
      return undefined;
    }
  }

  #note(isProof: boolean): void {
    if (isProof) this.#unproven = 0;
    else {
      const delay = UNPROVEN_DELAY_MS * 2 ** this.#unproven++;
      this.#scanAfter = this.#now + Math.min(delay, this.#settings.pollInterval);
    }
  }

  /** Tells later when the stream has still not brought an event. */
  #expect(stream: LiveStream, index: number, signal: AbortSignal): void {
    const cancel = deadline(this.#source.clock, LATE_MS, () => {
      signal.removeEventListener("abort", cancel);
      const isReplaced = stream !== this.#watched.stream;
      if (!isReplaced && stream.reached < index) this.#watched.onLate(stream);
    });
    if (signal.aborted) cancel();
    else onAbort(signal, cancel);
  }

  get #now(): number {
    return this.#source.clock.monotonic();
  }
}

/** Index of the last event at the key or below it: history also gives others. */
function lastWithin(key: string, events: readonly EtcdResponse[]): number {
  const path = key.replace(/\/$/, "");
  const isWithin = ({ node }: EtcdResponse): boolean =>
    node.key === path || node.key.startsWith(`${path}/`);
  return events.findLast(isWithin)?.node.modifiedIndex ?? 0;
}
