import type { Scan } from "../key-space/key-space.js";
import { readState } from "../key-space/shared/read-state.js";
import type { ScanRequest } from "../model/key-request.js";
import type { WatchResync } from "../model/watch-item.js";
import { onAbort } from "../stream/on-abort.js";
import { type BackfillTarget, HistoryBackfill } from "./history-backfill.js";
import type { ItemBuffer } from "./item-buffer.js";
import type { LiveStream } from "./live-stream.js";
import { LivenessMonitor } from "./liveness-monitor.js";
import { WatchConnections } from "./watch-connections.js";
import { OtherCluster, WatchProgress } from "./watch-progress.js";
import type { WatchSettings, WatchSource } from "./watch-source.js";

/** Why connections are closed that nobody reads any more. */
const OVER = new Error("the watch has ended or is begun anew");

/**
 * Follows one key for as long as nothing fails: a live stream, scans of the history for what was before
 * it, and a monitor that does not trust the stream.
 */
export class WatchSession {
  readonly #source: WatchSource;
  readonly #settings: WatchSettings;
  readonly #signal: AbortSignal;
  readonly #progress: WatchProgress;
  readonly #monitor: LivenessMonitor;
  readonly #target: BackfillTarget;
  readonly #connections: WatchConnections;
  /** Whether nothing is pending before the beginning of the connection that is read. */
  #isCovered = false;

  constructor(
    source: WatchSource,
    settings: WatchSettings,
    buffer: ItemBuffer,
    signal: AbortSignal,
    onProgress: () => void,
  ) {
    this.#source = source;
    this.#settings = settings;
    this.#signal = signal;
    this.#progress = new WatchProgress(settings, buffer, onProgress);
    this.#connections = new WatchConnections(source, settings, this.#progress);
    this.#target = {
      resumePoint: this.#progress.resumePoint,
      clock: source.clock,
      scan: (request, signal) => this.#scan(request, signal),
      takeScan: (scan) => this.#takeScan(scan),
    };
    const session = this;
    this.#monitor = new LivenessMonitor(source, settings, {
      progress: this.#progress,
      target: this.#target,
      get stream() {
        return session.#connections.current;
      },
      get isCovered() {
        return session.#isCovered;
      },
      isOf: (clusterId) => this.#connections.isOf(clusterId),
      onLate: (stream) => this.#connections.replaceLate(stream),
    });
  }

  /** Index up to which everything was put into the buffer, or does not concern the key. */
  get index(): number {
    return this.#progress.resumePoint.index;
  }

  /** Monotonic moment: every change that was committed before it was put into the buffer. */
  get contactAt(): number | undefined {
    return this.#progress.currentAt;
  }

  /**
   * Follows the key until a connection ends, after a resync if there is a reason for one.
   *
   * @throws BufferFull, OtherCluster, EventIndexClearedError, and what a key space throws
   */
  async follow(reason: WatchResync["reason"] | undefined, onResync: () => void): Promise<void> {
    const session = new AbortController();
    const { signal } = session;
    const pass = (): void => session.abort(this.#signal.reason);
    onAbort(this.#signal, pass);
    try {
      const connections = this.#connections;
      const begun = connections.prefersPolls ? undefined : await connections.openStream(signal);
      void this.#monitor.run(signal).catch((error) => session.abort(error));
      // Read after the stream was opened, which then brings everything that follows the state.
      if (reason !== undefined) await this.#resync(reason, begun, signal).then(onResync);
      const first = begun ?? (await connections.openPoll(signal));
      this.#progress.begin(first.etcdIndex);
      await this.#followAll(first, signal);
    } catch (error) {
      const failure: unknown = signal.aborted ? signal.reason : error;
      // Only now: until then nothing of the other one is taken, whoever meets it first.
      if (failure instanceof OtherCluster) this.#forget();
      throw failure;
    } finally {
      this.#isCovered = false;
      this.#connections.current = undefined;
      this.#signal.removeEventListener("abort", pass);
      session.abort(OVER);
    }
  }

  async #resync(
    reason: WatchResync["reason"],
    stream: LiveStream | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const askedAt = this.#now;
    const { newest } = this.#progress;
    const state = await readState(this.#source.keySpace, this.#settings, { signal });
    if (!this.#connections.isOf(state.etcdClusterId)) throw new OtherCluster();
    // The stream brings what follows its beginning, not what follows an earlier state of the cluster.
    if (stream !== undefined && state.index < stream.etcdIndex) throw new OtherCluster();
    if (state.response !== null) this.#source.observe(state.response);
    const resync = {
      type: "resync",
      reason,
      ...state,
      etcdClusterId: this.#connections.clusterId,
    } as const;
    this.#progress.takeState(resync, askedAt, newest);
  }

  /** Reads one connection after the other. */
  async #followAll(first: LiveStream, signal: AbortSignal): Promise<void> {
    let old: LiveStream | undefined;
    for (let stream = first; ; stream = await this.#connections.openNext(signal)) {
      this.#isCovered = stream.isPoll || (await this.#fillGap(old, stream, signal));
      old?.close();
      old = this.#isCovered ? stream : undefined;
      if (!this.#isCovered) {
        // Without proof of what was before its beginning, nothing that it brings can be taken.
        stream.close();
        this.#connections.preferPolls();
        continue;
      }
      const isOver = (await this.#read(stream)) === "end";
      this.#isCovered = false;
      if (isOver && !(stream.isPoll && stream.hasBrought)) return;
      // A poll brings one event: others may have happened before it was opened.
      if (isOver) await new HistoryBackfill(this.#target, stream.etcdIndex).fetch(signal);
    }
  }

  /**
   * Takes what was before a stream: from history and, at the same time, from the stream in doubt whose
   * place it takes. @returns whether all of it came
   */
  async #fillGap(
    old: LiveStream | undefined,
    stream: LiveStream,
    signal: AbortSignal,
  ): Promise<boolean> {
    const backfill = new HistoryBackfill(this.#target, stream.etcdIndex);
    if (old === undefined) return await backfill.fetch(signal);
    const reaching = this.#readUpTo(stream.etcdIndex, old);
    const fetching = backfill.fetch(signal);
    try {
      return await Promise.race([
        reaching.then((isReached) => isReached || fetching),
        fetching.catch((error) => this.#fetchRest(error, reaching, stream, signal)),
      ]);
    } finally {
      backfill.close();
    }
  }

  /** Where history does not reach back, the stream in doubt may still lead to where it does. */
  async #fetchRest(
    error: Error,
    reaching: Promise<boolean>,
    stream: LiveStream,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { next } = this.#progress.resumePoint;
    if (await reaching) return true;
    if (this.#progress.resumePoint.next === next) throw error;
    return await new HistoryBackfill(this.#target, stream.etcdIndex).fetch(signal);
  }

  /** Reads a stream in doubt as far as the next one goes back. @returns whether it led there */
  async #readUpTo(index: number, old: LiveStream): Promise<boolean> {
    old.doubtWhenQuiet();
    while (this.#progress.resumePoint.isPending(index)) {
      const told = await old.next();
      if (typeof told !== "object") return false;
      this.#progress.takeEvent(told);
    }
    return true;
  }

  /** Reads a connection, of which all before was taken. */
  async #read(stream: LiveStream): Promise<"doubt" | "end"> {
    for (;;) {
      const told = await stream.next();
      if (told === undefined) return "end";
      if (told === "doubt") return told;
      if (this.#progress.takeEvent(told)) this.#connections.noteEvent(stream);
    }
  }

  #scan(
    request: Pick<ScanRequest, "since" | "partial" | "until">,
    signal: AbortSignal,
  ): Promise<Scan> {
    const { key, recursive } = this.#settings;
    return this.#source.keySpace.scan({ key, recursive, ...request }, { signal });
  }

  #takeScan(scan: Scan): boolean {
    if (!this.#connections.isOf(scan.etcdClusterId)) throw new OtherCluster();
    return this.#progress.takeScan(scan);
  }

  #forget(): void {
    this.#connections.forgetCluster();
    this.#progress.forget();
  }

  get #now(): number {
    return this.#source.clock.monotonic();
  }
}
