import type { ScanRequest } from "../../../model/key-request.js";
import { offAbort, onAbort } from "../../../stream/on-abort.js";
import { type Feed, type FeedSink, OtherStoreError } from "../../shared/feed.js";
import { readState } from "../../shared/read-state.js";
import type { ResyncReason, SubscribeRequest } from "../../subscription.js";
import { type BackfillTarget, HistoryBackfill } from "./history-backfill.js";
import type { LiveStream } from "./live-stream.js";
import { LivenessMonitor } from "./liveness-monitor.js";
import type { SessionContext } from "./session-context.js";
import { WatchConnections } from "./watch-connections.js";
import { WatchProgress } from "./watch-progress.js";
import type { Scan } from "./watch-requests.js";

/** Abort reason of connections that are no longer read. */
const SESSION_ENDED = new Error("the watch session has ended");

/**
 * Watches one key until something fails: a live stream, scans of history for the changes before the
 * stream, and a monitor that does not trust the stream.
 */
export class WatchSession implements Feed {
  readonly #context: SessionContext;
  readonly #request: SubscribeRequest;
  readonly #progress: WatchProgress;
  readonly #monitor: LivenessMonitor;
  readonly #target: BackfillTarget;
  readonly #connections: WatchConnections;
  /** Whether all changes before the start of the current connection were received. */
  #isCovered = false;

  constructor(context: SessionContext, request: SubscribeRequest, sink: FeedSink) {
    this.#context = context;
    this.#request = request;
    this.#progress = new WatchProgress(request, sink);
    this.#connections = new WatchConnections(context, request, this.#progress, sink);
    this.#target = {
      resumePoint: this.#progress.resumePoint,
      clock: context.clock,
      scan: (request, signal) => this.#scan(request, signal),
      takeScan: (scan) => this.#takeScan(scan),
    };
    const session = this;
    this.#monitor = new LivenessMonitor(context, request, {
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

  get index(): number {
    return this.#progress.resumePoint.index;
  }

  get currentAt(): number | undefined {
    return this.#progress.currentAt;
  }

  /**
   * Watches the key until a connection ends. Begins with a resync if a reason for one is given.
   *
   * @throws QueueFullError, OtherStoreError, EventIndexClearedError, and the errors of the requests
   */
  async follow(reason: ResyncReason | undefined, ending: AbortSignal): Promise<void> {
    const session = new AbortController();
    const { signal } = session;
    const pass = (): void => session.abort(ending.reason);
    onAbort(ending, pass);
    try {
      const connections = this.#connections;
      const opened = connections.prefersPolls ? undefined : await connections.openStream(signal);
      void this.#monitor.run(signal).catch((error) => session.abort(error));
      // Read the state after opening the stream, so that the stream delivers every later change.
      if (reason !== undefined) await this.#resync(reason, opened, signal);
      const first = opened ?? (await connections.openPoll(signal));
      this.#progress.startAfter(first.etcdIndex);
      await this.#followAll(first, signal);
    } catch (error) {
      const failure: unknown = signal.aborted ? signal.reason : error;
      // Forget at the end: until then nothing from the other cluster may be taken.
      if (failure instanceof OtherStoreError) this.#forget();
      throw failure;
    } finally {
      this.#isCovered = false;
      this.#connections.current = undefined;
      offAbort(ending, pass);
      session.abort(SESSION_ENDED);
    }
  }

  async #resync(
    reason: ResyncReason,
    stream: LiveStream | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const requestedAt = this.#now;
    const { newest } = this.#progress;
    const state = await readState(this.#context.keySpace, this.#request, { signal });
    if (!this.#connections.isOf(state.etcdClusterId)) throw new OtherStoreError();
    // The stream does not continue from an earlier state of the cluster.
    if (stream !== undefined && state.index < stream.etcdIndex) throw new OtherStoreError();
    const resync = {
      type: "resync",
      reason,
      ...state,
      etcdClusterId: this.#connections.clusterId,
    } as const;
    this.#progress.takeState(resync, requestedAt, newest);
  }

  /** Reads connections one after another. */
  async #followAll(first: LiveStream, signal: AbortSignal): Promise<void> {
    let old: LiveStream | undefined;
    for (let stream = first; ; stream = await this.#connections.openNext(signal)) {
      this.#isCovered = stream.isPoll || (await this.#fillGap(old, stream, signal));
      old?.close();
      old = this.#isCovered ? stream : undefined;
      if (!this.#isCovered) {
        // Events of a connection cannot be used while changes before it are pending.
        stream.close();
        this.#connections.preferPolls();
        continue;
      }
      const hasEnded = (await this.#read(stream)) === "end";
      this.#isCovered = false;
      if (hasEnded && !(stream.isPoll && stream.hasReceived)) return;
      // A poll delivers one event. Others may have happened before it was opened.
      if (hasEnded) await new HistoryBackfill(this.#target, stream.etcdIndex).fetch(signal);
    }
  }

  /**
   * Fetches the changes before a stream: from history and, in parallel, from the suspect stream
   * that it replaces.
   *
   * @returns whether all of them were received
   */
  async #fillGap(
    old: LiveStream | undefined,
    stream: LiveStream,
    signal: AbortSignal,
  ): Promise<boolean> {
    const backfill = new HistoryBackfill(this.#target, stream.etcdIndex);
    if (old === undefined) return await backfill.fetch(signal);
    const oldReaches = this.#readUpTo(stream.etcdIndex, old);
    const fetched = backfill.fetch(signal);
    try {
      return await Promise.race([
        oldReaches.then((reached) => reached || fetched),
        fetched.catch((error) => this.#fetchRest(error, oldReaches, stream, signal)),
      ]);
    } finally {
      backfill.close();
    }
  }

  /**
   * When history does not reach the resume point, the suspect stream may still lead to an index
   * that it reaches.
   */
  async #fetchRest(
    error: Error,
    oldReaches: Promise<boolean>,
    stream: LiveStream,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { next } = this.#progress.resumePoint;
    if (await oldReaches) return true;
    if (this.#progress.resumePoint.next === next) throw error;
    return await new HistoryBackfill(this.#target, stream.etcdIndex).fetch(signal);
  }

  /** Reads a suspect stream up to the start of the next one. @returns whether it reached it */
  async #readUpTo(index: number, old: LiveStream): Promise<boolean> {
    old.markSuspectWhenQuiet();
    while (this.#progress.resumePoint.isPending(index)) {
      const item = await old.next();
      if (typeof item !== "object") return false;
      this.#progress.takeEvent(item);
    }
    return true;
  }

  /** Reads a connection after all changes before it were received. */
  async #read(stream: LiveStream): Promise<"suspect" | "end"> {
    for (;;) {
      const item = await stream.next();
      if (item === undefined) return "end";
      if (item === "suspect") return item;
      if (this.#progress.takeEvent(item)) this.#connections.recordEvent(stream);
    }
  }

  #scan(request: Pick<ScanRequest, "since" | "partial">, signal: AbortSignal): Promise<Scan> {
    const { key, recursive } = this.#request;
    return this.#context.requests.scan({ key, recursive, ...request }, { signal });
  }

  #takeScan(scan: Scan): boolean {
    if (!this.#connections.isOf(scan.etcdClusterId)) throw new OtherStoreError();
    return this.#progress.takeScan(scan);
  }

  requestProof(index: number): () => void {
    return this.#monitor.prove(index);
  }

  #forget(): void {
    this.#connections.forgetCluster();
    this.#progress.forget();
  }

  get #now(): number {
    return this.#context.clock.monotonic();
  }
}
