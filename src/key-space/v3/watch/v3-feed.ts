import { AbortError } from "../../../errors/abort-error.js";
import type { EtcdResponse, ResponseOrigin } from "../../../model/response.js";
import { offAbort, onAbort } from "../../../stream/on-abort.js";
import type { Clock } from "../../../time/clock.js";
import type { KeySpace } from "../../key-space.js";
import { type Feed, type FeedSink, OtherStoreError, QueueFullError } from "../../shared/feed.js";
import { pathOf } from "../../shared/path.js";
import { readState } from "../../shared/read-state.js";
import { responseOfEvent } from "../../shared/response-of-event.js";
import type { StoreEvent } from "../../shared/store-event.js";
import type { ResyncReason, SubscribeRequest } from "../../subscription.js";
import type { SharedWatch } from "./shared-watch.js";
import type { FeedReader } from "./watcher-set.js";

/** The shared watch of the current store. */
export interface Joined {
  /** Runs until it is released. */
  readonly sharedWatch: SharedWatch;
  /** A linearizable response of the store. Its index is not after the start of coverage. */
  readonly origin: ResponseOrigin;
  /** Number of the store's generation. */
  readonly generation: number;
  /**
   * Makes every event from an index on available.
   *
   * @throws EventIndexClearedError
   */
  readBack(since: number): Promise<void>;
}

/** What a {@link V3Feed} depends on. */
export interface FeedContext {
  readonly keySpace: Pick<KeySpace, "execute">;
  readonly clock: Clock;
  /** Number of the current generation of the store. */
  readonly generation: number;
  /** Starts the shared watch if necessary, and holds it. @throws the errors of the v3 API */
  join(signal: AbortSignal): Promise<Joined>;
}

/** An index for which a caller waits. */
interface Wanted {
  readonly index: number;
  /** Cancels the pending proof at the shared watch. */
  cancel: () => void;
}

/** The changes of a key from the shared watch on etcd. */
export class V3Feed implements Feed, FeedReader {
  readonly path: string;
  readonly recursive: boolean;
  readonly request: SubscribeRequest;
  readonly #context: FeedContext;
  readonly #sink: FeedSink;
  #clusterId: string | undefined;
  /** Generation of the store that the indexes belong to. */
  #generation: number | undefined;
  /** First index that is not covered; `undefined` before coverage begins. */
  #since: number | undefined;
  /** Where everything committed before was queued, when not attached. */
  #currentAt: number | undefined;
  /** The events of one index so far. */
  #pending: EtcdResponse[] = [];
  #joined: Joined | undefined;
  /** Ends the attachment to the shared watch; `undefined` while not attached. */
  #detach: ((error: Error | undefined) => void) | undefined;
  /** Whether everything that the shared watch has delivered is queued, after the events of its past. */
  #isLive = false;
  /** Indexes for which callers wait. */
  readonly #wanted = new Set<Wanted>();

  constructor(context: FeedContext, request: SubscribeRequest, sink: FeedSink) {
    this.path = pathOf(request.key);
    this.recursive = request.recursive;
    this.request = request;
    this.#context = context;
    this.#sink = sink;
    this.#clusterId = request.clusterId;
    if (typeof request.from === "number") this.#since = request.from;
  }

  get since(): number {
    return this.#since ?? 0;
  }

  get index(): number {
    if (this.#since === undefined) return 0;
    const delivered = this.#isLive ? this.#joined?.sharedWatch.index : undefined;
    return Math.max(this.#since - 1, delivered ?? 0);
  }

  get currentAt(): number | undefined {
    const delivered = this.#isLive ? this.#joined?.sharedWatch.currentAt : undefined;
    if (delivered === undefined || this.#currentAt === undefined)
      return delivered ?? this.#currentAt;
    return Math.max(delivered, this.#currentAt);
  }

  get lastError(): Error | undefined {
    return this.#joined?.sharedWatch.lastError;
  }

  get ended(): boolean {
    return this.#detach === undefined;
  }

  async follow(reason: ResyncReason | undefined, signal: AbortSignal): Promise<void> {
    const joined = await this.#context.join(signal);
    this.#joined = joined;
    try {
      if (reason === undefined) this.#checkStore(joined);
      else if (!(await this.#resync(reason, joined, signal))) return;
      this.#since ??= joined.origin.etcdIndex + 1;
      if (!(await this.#readBack(joined, this.#since, signal))) return;
      signal.throwIfAborted();
      await this.#attach(joined, signal);
    } finally {
      joined.sharedWatch.release();
    }
  }

  requestProof(index: number): () => void {
    const wanted: Wanted = { index, cancel: () => {} };
    this.#wanted.add(wanted);
    this.#proveNow(wanted);
    return () => {
      this.#wanted.delete(wanted);
      wanted.cancel();
    };
  }

  push(event: StoreEvent): void {
    if (this.#joined !== undefined) {
      this.#pending.push(responseOfEvent(event, this.#joined.origin));
    }
  }

  reached(index: number): void {
    const changes = this.#pending;
    this.#pending = [];
    if (this.ended || changes.length === 0) return;
    if (this.#sink.isFull) {
      this.#since = index;
      this.#detach?.(new QueueFullError());
    } else {
      this.#sink.putChanges(changes, { index: index - 1, currentAt: this.currentAt });
      this.#since = index + 1;
    }
  }

  end(): void {
    this.#detach?.(undefined);
  }

  fail(error: Error): void {
    this.#detach?.(error);
  }

  abort(): void {
    this.#detach?.(undefined);
  }

  #proveNow(wanted: Wanted): void {
    const sharedWatch = this.#joined?.sharedWatch;
    if (sharedWatch === undefined || !this.#isLive) return;
    wanted.cancel = sharedWatch.whenDelivered(wanted.index, () => this.#sink.onProgress());
  }

  #checkStore({ origin, generation }: Joined): void {
    const { etcdClusterId, etcdIndex } = origin;
    const isSame = (this.#clusterId ?? etcdClusterId) === etcdClusterId;
    const isSameGeneration = (this.#generation ?? generation) === generation;
    if (!isSame || !isSameGeneration || this.since > etcdIndex + 1) throw new OtherStoreError();
    this.#clusterId = etcdClusterId;
    this.#generation = generation;
  }

  /** @returns `false` when the store was replaced at the same time */
  async #resync(
    reason: ResyncReason,
    { sharedWatch, origin, generation }: Joined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const requestedAt = this.#context.clock.monotonic();
    const state = await readState(this.#context.keySpace, this.request, { signal });
    const isReplaced = generation !== this.#context.generation || sharedWatch.isStopped;
    if (isReplaced || state.index < origin.etcdIndex) return false;
    const { index, currentAt } = this;
    // Since the reason was found, another store may have replaced the known one.
    const isKnown = (this.#generation ?? generation) === generation;
    const actual = isKnown ? reason : "cluster-changed";
    this.#sink.putResync({ type: "resync", reason: actual, ...state }, { index, currentAt });
    this.#clusterId = state.etcdClusterId;
    this.#generation = generation;
    this.#since = state.index + 1;
    this.#currentAt = requestedAt;
    return true;
  }

  /** @returns `false` when the shared watch has ended at the same time */
  async #readBack(joined: Joined, since: number, signal: AbortSignal): Promise<boolean> {
    try {
      await joined.readBack(since);
      return true;
    } catch (error) {
      // An error of a previous store or index offset says nothing about the current one.
      const isPrevious = joined.generation !== this.#context.generation;
      if (signal.aborted || !(isPrevious || error instanceof AbortError)) throw error;
      return false;
    }
  }

  /** Receives events until the queue is full, or the shared watch or the signal ends it. */
  async #attach({ sharedWatch, origin }: Joined, signal: AbortSignal): Promise<void> {
    // While the past was read, newer events may have replaced it in the cache.
    if (sharedWatch.isStopped || !sharedWatch.holds(this.since)) return;
    const aborted = (): void => this.#detach?.(signal.reason);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#detach = (error) => {
          const { index, currentAt } = this;
          this.#detach = undefined;
          this.#isLive = false;
          if (!(error instanceof QueueFullError)) this.#since = index + 1;
          this.#currentAt = currentAt;
          this.#pending = [];
          for (const { cancel } of this.#wanted) cancel();
          sharedWatch.detachFeed(this);
          if (error === undefined) resolve();
          else reject(error);
        };
        onAbort(signal, aborted);
        sharedWatch.attachFeed(this);
        this.#isLive = !this.ended;
        this.#sink.onOpen(origin);
        for (const wanted of this.#wanted) this.#proveNow(wanted);
      });
    } finally {
      offAbort(signal, aborted);
    }
  }
}
