import { traceWatchFailure } from "../../diagnostics/channels.js";
import type { AbortError } from "../../errors/abort-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import { EventIndexClearedError } from "../../errors/event-errors.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { IndexWaiters } from "../../stream/index-waiters.js";
import { onAbort } from "../../stream/on-abort.js";
import type { Clock } from "../../time/clock.js";
import { nextTurn } from "../../time/event-loop.js";
import { type LinkedSignal, linkSignals } from "../../time/link-signals.js";
import { ReconnectPace } from "../../time/reconnect-pace.js";
import { sleep } from "../../time/sleep.js";
import type { CallOptions } from "../call-options.js";
import type {
  Changes,
  Resync,
  ResyncReason,
  SubscribeRequest,
  Subscription,
} from "../subscription.js";
import {
  type Coverage,
  type Feed,
  type FeedSink,
  OtherStoreError,
  QueueFullError,
} from "./feed.js";
import { isRetryable } from "./is-retryable.js";
import { SubscriptionQueue } from "./subscription-queue.js";

/** Maximum number of consecutive unreadable responses (about 30 s). After that the subscription fails. */
const MAX_UNREADABLE_RESPONSES = 10;

/** The dependencies of a subscription. */
export interface FeedSettings {
  /** Creates the feed, which puts its items into the sink. */
  readonly feed: (sink: FeedSink) => Feed;
  readonly clock: Clock;
  /** Aborts when the key space is closed. */
  readonly closed: AbortSignal;
}

/** A subscription that reads from a feed, and restarts the feed after every transient failure. */
export class FeedSubscription implements Subscription, FeedSink {
  readonly opened: Promise<ResponseOrigin>;
  readonly #operation: string;
  readonly #waiters: IndexWaiters;
  readonly #feed: Feed;
  readonly #queue: SubscriptionQueue;
  readonly #clock: Clock;
  readonly #pace: ReconnectPace;
  readonly #ending: LinkedSignal;
  #onOpened: (origin: ResponseOrigin) => void = () => {};
  #onNotOpened: (error: Error) => void = () => {};
  #lastError: Error | undefined;
  /** Reason of the pending resync, if any. */
  #pendingResync: ResyncReason | undefined;
  #unreadableResponses = 0;
  #isSlow = false;
  /** Whether there was no progress since the last resync. */
  #isFresh = false;
  /** Why the subscription has ended. */
  #ended: Error | undefined;
  /** What the consumer had read when the rest was dropped. */
  #readAtEnd: Coverage | undefined;

  constructor(request: SubscribeRequest, settings: FeedSettings, signal: AbortSignal | undefined) {
    const { key, from, bufferSize } = request;
    this.#operation = `watch ${key}`;
    this.#waiters = new IndexWaiters(this.#operation);
    this.#queue = new SubscriptionQueue(bufferSize);
    this.#clock = settings.clock;
    this.#pace = new ReconnectPace(settings.clock);
    if (from === "state") this.#pendingResync = "initial";
    this.opened = new Promise((resolve, reject) => {
      this.#onOpened = resolve;
      this.#onNotOpened = reject;
    });
    // A consumer that does not use `opened` sees the error through `next`.
    this.opened.catch(() => {});
    this.#feed = settings.feed(this);
    this.#ending = linkSignals(signal, settings.closed);
    const { signal: ending } = this.#ending;
    onAbort(ending, this.#onAbort);
    if (ending.aborted) this.#onAbort();
    else this.#run(ending).catch(this.#onFailure);
  }

  get index(): number {
    return this.#read.index;
  }

  get currentAt(): number | undefined {
    return this.#read.currentAt;
  }

  get lastError(): Error | undefined {
    return this.#lastError ?? this.#feed.lastError;
  }

  async next(): Promise<IteratorResult<Changes | Resync, undefined>> {
    const result = await this.#queue.next();
    const item = result.value;
    // Indexes of the previous store have no meaning now.
    if (item?.type === "resync" && item.reason === "cluster-changed") {
      this.#waiters.rejectAll(this.#waiters.abortError(new OtherStoreError()));
    } else this.#checkWaiters();
    return result;
  }

  async reached(index: number, options?: CallOptions): Promise<void> {
    await this.#untilReached(index, options);
    // A pending `next` resolves before.
    await nextTurn();
  }

  async #untilReached(index: number, { signal }: CallOptions = {}): Promise<void> {
    if (this.index >= index) return;
    if (this.#ended !== undefined) throw this.#ended;
    const reached = this.#waiters.add(index, signal);
    const endProof = this.#feed.requestProof(index);
    try {
      await reached;
    } finally {
      endProof();
    }
  }

  async return(): Promise<IteratorResult<Changes | Resync, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#drop();
    this.#ending.abort(new Error("the watch was closed"));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  onOpen(origin: ResponseOrigin): void {
    this.#lastError = undefined;
    this.#onOpened(origin);
  }

  putChanges(changes: readonly EtcdResponse[], before: Coverage): void {
    this.#queue.put({ type: "changes", changes }, before);
    this.onProgress();
  }

  putResync(resync: Resync, before: Coverage): void {
    this.#queue.put(resync, before);
    this.#pendingResync = undefined;
    this.#isSlow = false;
    this.#isFresh = true;
  }

  onProgress(): void {
    this.#pace.progress();
    this.#unreadableResponses = 0;
    this.#isFresh = false;
    this.#lastError = undefined;
    this.#checkWaiters();
  }

  /** Never resolves. @throws AbortError, and errors that cannot be repaired */
  async #run(signal: AbortSignal): Promise<never> {
    for (;;) {
      // Without an open connection, nothing else would notice that the signal was aborted.
      signal.throwIfAborted();
      this.#pace.opens();
      const continueNow = await this.#attempt(signal);
      if (!continueNow) await this.#pace.pause(signal);
    }
  }

  /** @returns whether to continue without delay */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#feed.follow(this.#pendingResync, signal);
      return false;
    } catch (error) {
      return await this.#repair(error, signal);
    }
  }

  async #repair(error: unknown, signal: AbortSignal): Promise<boolean> {
    if (error instanceof QueueFullError) {
      this.#isSlow = true;
      await this.#queue.untilRoom();
      return true;
    }
    if (error instanceof EventIndexClearedError) {
      return this.#requireResync(this.#isSlow ? "slow-consumer" : "history-cleared");
    }
    if (error instanceof OtherStoreError) return this.#requireResync("cluster-changed");
    if (!isRetryable(error) || this.#isTooOften(error)) throw error;
    const retryAfter = this.#pace.next();
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#lastError = cause;
    traceWatchFailure({ operation: this.#operation, cause, retryAfter });
    await sleep(retryAfter, this.#clock, signal);
    return true;
  }

  /** @returns whether to continue without delay */
  #requireResync(reason: ResyncReason): boolean {
    const pending = this.#pendingResync;
    // Until they are delivered, these two stay true.
    if (pending !== "initial" && pending !== "cluster-changed") this.#pendingResync = reason;
    return pending === undefined && !this.#isFresh;
  }

  #isTooOften(error: unknown): boolean {
    return (
      error instanceof ProtocolError && ++this.#unreadableResponses >= MAX_UNREADABLE_RESPONSES
    );
  }

  #checkWaiters(): void {
    if (this.#waiters.size > 0) this.#waiters.resolveUpTo(this.index);
  }

  /** What the consumer has read. */
  get #read(): Coverage {
    return this.#readAtEnd ?? this.#queue.readCoverage(this.#feed);
  }

  /** Drops what the consumer has not read. */
  #drop(failure?: Error): void {
    const { index, currentAt } = this.#read;
    this.#readAtEnd = { index, currentAt };
    this.#queue.discard(failure);
  }

  get #abortError(): AbortError {
    return this.#waiters.abortError(this.#ending.signal.reason);
  }

  readonly #onAbort = (): void => {
    if (this.#ended !== undefined) return;
    const error = this.#abortError;
    this.#end(error);
    if (this.#readAtEnd === undefined) this.#drop(error);
  };

  /** Queued items are delivered before the error. */
  readonly #onFailure = (error: Error): void => {
    if (this.#ended !== undefined) return;
    this.#end(error);
    this.#queue.fail(error);
  };

  #end(error: Error): void {
    this.#ended = error;
    this.#ending.unlink();
    this.#onNotOpened(error);
    this.#waiters.rejectAll(error);
  }
}
