import type { GetRequest } from "../../model/key-request.js";
import type { EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { offAbort, onAbort } from "../../stream/on-abort.js";
import type { Clock } from "../../time/clock.js";
import {
  type Coverage,
  type Feed,
  type FeedSink,
  OtherStoreError,
  QueueFullError,
} from "../shared/feed.js";
import { matchesLiveWatch } from "../shared/matches-watch.js";
import { pathOf } from "../shared/path.js";
import { responseOfEvent } from "../shared/response-of-event.js";
import type { StoreEvent } from "../shared/store-event.js";
import type { EventReceiver, WatcherHub } from "../shared/watcher-hub.js";
import type { Watermark } from "../shared/watermark.js";
import type { ResyncReason, SubscribeRequest } from "../subscription.js";

/** The store that a {@link MemoryFeed} reads. */
export interface FeedStore {
  readonly clock: Clock;
  readonly hub: WatcherHub;
  /** Index of the last change. */
  readonly index: number;
  /** Index of the last change that was delivered. */
  readonly delivered: Watermark;
  /** The origin of a response at this moment. */
  readonly origin: ResponseOrigin;
  /** Returns `undefined` if there is no such key. */
  read(request: GetRequest): EtcdResponse | undefined;
  /** @throws EventIndexClearedError */
  history(key: string, since: number): Iterable<StoreEvent>;
}

/** The changes of a store in this process. It delivers each change immediately. */
export class MemoryFeed implements Feed, EventReceiver {
  readonly path: string;
  readonly recursive: boolean;
  readonly #store: FeedStore;
  readonly #request: SubscribeRequest;
  readonly #sink: FeedSink;
  /** The origin of the events. */
  #origin: ResponseOrigin;
  /** First index that is not covered; `undefined` before the first resync or event. */
  #since: number | undefined;
  /** Ends the attachment to the store; `undefined` while not attached. */
  #detach: ((error: Error) => void) | undefined;
  /** When the attachment ended: everything committed before was queued. */
  #detachedAt: number | undefined;

  constructor(store: FeedStore, request: SubscribeRequest, sink: FeedSink) {
    this.path = pathOf(request.key);
    this.recursive = request.recursive;
    this.#store = store;
    this.#request = request;
    this.#sink = sink;
    this.#origin = store.origin;
    if (typeof request.from === "number") this.#since = request.from;
  }

  get since(): number {
    return this.#since ?? this.#store.index + 1;
  }

  get index(): number {
    if (this.#detach !== undefined) return this.#store.index;
    return this.#since === undefined ? 0 : this.#since - 1;
  }

  get currentAt(): number | undefined {
    return this.#detach === undefined ? this.#detachedAt : this.#store.clock.monotonic();
  }

  async follow(reason: ResyncReason | undefined, signal: AbortSignal): Promise<void> {
    this.#origin = this.#store.origin;
    if (reason === undefined) this.#checkStart();
    else this.#resync(reason);
    this.#replay();
    await this.#attach(signal);
  }

  requestProof(index: number): () => void {
    return this.#store.delivered.whenReached(index, () => this.#sink.onProgress());
  }

  push(event: StoreEvent): void {
    const { modifiedIndex } = event.node;
    if (this.#sink.isFull) this.#detach?.(new QueueFullError());
    else this.#put(event, this.#store.clock.monotonic());
    this.#since = this.#detach === undefined ? modifiedIndex : modifiedIndex + 1;
  }

  /** Does nothing: each index has only one event. */
  reached(): void {}

  #checkStart(): void {
    const { etcdClusterId, etcdIndex } = this.#origin;
    const { clusterId = etcdClusterId } = this.#request;
    if (clusterId !== etcdClusterId || this.since > etcdIndex + 1) throw new OtherStoreError();
  }

  #resync(reason: ResyncReason): void {
    const { key, recursive, state } = this.#request;
    const { etcdClusterId, etcdServer, etcdIndex: index } = this.#origin;
    const request = { action: "get", key, recursive: recursive && state === "full" } as const;
    const response = state === "none" ? null : (this.#store.read(request) ?? null);
    const { index: indexBefore, currentAt } = this;
    const resync = { type: "resync", reason, response, index, etcdClusterId, etcdServer } as const;
    this.#sink.putResync(resync, { index: indexBefore, currentAt });
    this.#since = index + 1;
  }

  #replay(): void {
    this.#since = this.since;
    for (const event of this.#store.history(this.#request.key, this.#since)) {
      const { modifiedIndex } = event.node;
      this.#since = modifiedIndex;
      if (matchesLiveWatch(this.#request, event)) {
        if (this.#sink.isFull) throw new QueueFullError();
        this.#put(event, this.#detachedAt);
      }
      this.#since = modifiedIndex + 1;
    }
  }

  /** Receives live events until the queue is full or the signal aborts. */
  async #attach(signal: AbortSignal): Promise<void> {
    const { hub, clock } = this.#store;
    const aborted = (): void => this.#detach?.(signal.reason);
    try {
      await new Promise<never>((_, reject) => {
        this.#detach = (error) => {
          this.#detach = undefined;
          this.#detachedAt = clock.monotonic();
          hub.remove(this);
          this.#since = this.#store.index + 1;
          reject(error);
        };
        onAbort(signal, aborted);
        hub.add(this);
        this.#sink.onOpen(this.#origin);
      });
    } finally {
      offAbort(signal, aborted);
    }
  }

  #put(event: StoreEvent, currentAt: number | undefined): void {
    const before: Coverage = { index: event.node.modifiedIndex - 1, currentAt };
    this.#sink.putChanges([responseOfEvent(event, this.#origin)], before);
  }
}
