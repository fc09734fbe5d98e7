import { AbortError } from "../../errors/abort-error.js";
import { errorDefinition, serverErrorOf } from "../../errors/error-table.js";
import type { StoreStats } from "../../model/cluster.js";
import {
  type GetRequest,
  type KeyRequest,
  methodOf,
  type WatchRequest,
  wantsNoNodes,
} from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse, ResponseOrigin } from "../../model/response.js";
import { type Clock, systemClock } from "../../time/clock.js";
import type { CallOptions } from "../call-options.js";
import type { DataLocation } from "../data-location.js";
import type { KeySpace, KeyWatch } from "../key-space.js";
import type { Feed, FeedSink } from "../shared/feed.js";
import { FeedSubscription } from "../shared/feed-subscription.js";
import { matchesWatch } from "../shared/matches-watch.js";
import { pathOf } from "../shared/path.js";
import { PushedWatch } from "../shared/pushed-watch.js";
import { responseOfEvent } from "../shared/response-of-event.js";
import { StoreCounters } from "../shared/store-counters.js";
import { StoreError } from "../shared/store-error.js";
import type { StoreEvent } from "../shared/store-event.js";
import { WatcherHub } from "../shared/watcher-hub.js";
import { Watermark } from "../shared/watermark.js";
import type { SubscribeRequest, Subscription } from "../subscription.js";
import { EventHistory } from "./event-history.js";
import type { Listing } from "./listing.js";
import { ListingQueue } from "./listing-queue.js";
import { type FeedStore, MemoryFeed } from "./memory-feed.js";
import { randomId } from "./random-id.js";
import { Store, type StoreSnapshot } from "./store.js";
import type { RemovedPath, SnapshotNode } from "./store-walk.js";

/** Options of {@link MemoryKeySpace}. */
export interface MemoryKeySpaceOptions {
  /**
   * Maximum number of events kept for watches that start in the past. The total of keys and values
   * is limited to 32 Mi characters.
   *
   * @default 1000, as in etcd
   */
  readonly historySize?: number | undefined;
  /**
   * Clock of the TTLs.
   *
   * @default the system clock
   */
  readonly clock?: Clock | undefined;
}

/** A key space as plain values. */
export interface KeySpaceSnapshot {
  readonly clusterId: string;
  readonly store: StoreSnapshot;
  readonly history: readonly StoreEvent[];
  /** First index that the history covered. */
  readonly historyFloor: number;
}

/** Reads a key space in steps while requests change it; see {@link MemoryKeySpace.walk}. */
export interface KeySpaceWalk extends Disposable {
  /** Nodes that have not changed since the walk began. */
  unchanged(): Iterable<SnapshotNode>;
  /** Ends the walk and returns the rest, as of this call. */
  end(): KeySpaceEnd;
}

/** Completes the nodes of a walk to the state of the key space at one moment. */
export interface KeySpaceEnd {
  readonly clusterId: string;
  readonly index: number;
  readonly historyFloor: number;
  /** Nodes that have changed since the walk began, and the paths of removed ones. */
  readonly changed: readonly (SnapshotNode | RemovedPath)[];
  readonly history: readonly StoreEvent[];
}

/** Milliseconds between two searches for expired nodes, while any node has a TTL. */
const SWEEP_INTERVAL_MS = 500;

/** Endpoint of this process in errors and responses. */
export const ENDPOINT = "memory:";

/**
 * A key space in this process.
 *
 * @example
 * import { MemoryKeySpace } from "etcdnet/server";
 *
 * const etcd = new EtcdClient({ keySpace: new MemoryKeySpace() });
 * await etcd.setNode("/a", "1");
 * await etcd.close();
 */
export class MemoryKeySpace implements KeySpace {
  readonly #store: Store;
  readonly #history: EventHistory;
  readonly #hub = new WatcherHub();
  readonly #counters = new StoreCounters();
  readonly #listings = new ListingQueue();
  readonly #watches = new Set<PushedWatch>();
  readonly #clock: Clock;
  readonly #clusterId: string;
  readonly #delivered = new Watermark();
  readonly #closing = new AbortController();
  #cancelSweep: (() => void) | undefined;

  /** `snapshot`: from {@link MemoryKeySpace.snapshot | snapshot()}. Its expired TTLs expire at once. */
  constructor(options: MemoryKeySpaceOptions = {}, snapshot?: KeySpaceSnapshot) {
    const { historySize = 1000, clock = systemClock } = options;
    this.#history = new EventHistory(historySize, snapshot?.historyFloor);
    this.#clock = clock;
    // An empty store gets a new cluster ID, so that clients notice the lost data.
    this.#clusterId = snapshot?.clusterId ?? randomId();
    this.#store = snapshot === undefined ? new Store() : Store.restore(snapshot.store);
    for (const event of snapshot?.history ?? []) this.#history.add(event);
    this.#delivered.set(this.#store.index);
    this.#scheduleSweep();
  }

  /** Hexadecimal, not padded; random for a key space that starts empty. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** Index of the last change. */
  get index(): number {
    return this.#store.index;
  }

  /** Whether the key space was closed. */
  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Requests, expiries and watchers since this key space was created. */
  get stats(): StoreStats {
    return this.#counters.show(this.#hub.size);
  }

  /** The complete state, as plain values that JSON can represent. */
  snapshot(): KeySpaceSnapshot {
    return {
      clusterId: this.#clusterId,
      store: this.#store.snapshot(),
      history: [...this.#history],
      historyFloor: this.#history.floor,
    };
  }

  /**
   * Starts to read the state in steps, without a copy and while requests are executed. The result
   * is the state at the end of the walk.
   *
   * @internal
   */
  walk(): KeySpaceWalk {
    const walk = this.#store.walk();
    return {
      unchanged: () => walk.unchanged(),
      end: () => ({
        clusterId: this.#clusterId,
        index: this.#store.index,
        historyFloor: this.#history.floor,
        changed: walk.end(),
        history: [...this.#history],
      }),
      [Symbol.dispose]: () => walk[Symbol.dispose](),
    };
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: CallOptions,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: CallOptions): Promise<EtcdResponse>;
  async execute(request: KeyRequest, { signal }: CallOptions = {}): Promise<EtcdReceipt> {
    const method = methodOf(request);
    this.#requireOpen(`${method} ${request.key}`, signal, method === "GET" ? "none" : "not-sent");
    if (request.action === "get" && this.#store.isLarge(request)) {
      return this.#list(request, signal);
    }
    const event = this.#apply(request);
    if (event.action !== "get") this.#publish(event);
    return wantsNoNodes(request)
      ? { action: event.action, ...this.#origin }
      : responseOfEvent(event, this.#origin);
  }

  async openWatch(request: WatchRequest, { signal }: CallOptions = {}): Promise<KeyWatch> {
    this.#requireOpen(`GET ${request.key}`, signal, "none");
    const { key, recursive = false, waitIndex = 0, stream = false } = request;
    const { index } = this.#store;
    const since = waitIndex === 0 ? index + 1 : waitIndex;
    const past = this.#historyFrom(key, since);
    const until = stream ? "closed" : "event";
    const delivered = (): number => this.#delivered.reached;
    const options = { path: pathOf(key), recursive, since, until, signal, delivered } as const;
    const watch: PushedWatch = new PushedWatch(this.#origin, options, () => {
      this.#watches.delete(watch);
      this.#hub.remove(watch);
    });
    for (const event of past) {
      if (!event.silent && matchesWatch(request, event)) watch.replay(event);
      if (watch.ended) return watch;
    }
    this.#watches.add(watch);
    this.#hub.add(watch);
    return watch;
  }

  subscribe(request: SubscribeRequest, { signal }: CallOptions = {}): Subscription {
    const feed = (sink: FeedSink): Feed => new MemoryFeed(this.#feedStore, request, sink);
    const settings = { feed, clock: this.#clock, closed: this.#closing.signal };
    return new FeedSubscription(request, settings, signal);
  }

  async locate(key: string): Promise<DataLocation> {
    const { index: revision } = this.#store;
    return { clusterId: this.#clusterId, store: "v2", keyPrefix: "", path: pathOf(key), revision };
  }

  async close(): Promise<void> {
    const reason = new Error("the key space was closed");
    this.#closing.abort(reason);
    this.#cancelSweep?.();
    for (const watch of this.#watches) watch.abort(reason);
  }

  get #feedStore(): FeedStore {
    const index = (): number => this.#store.index;
    const origin = (): ResponseOrigin => this.#origin;
    return {
      clock: this.#clock,
      hub: this.#hub,
      delivered: this.#delivered,
      get index() {
        return index();
      },
      get origin() {
        return origin();
      },
      read: (request) => this.#read(request),
      history: (key, since) => this.#historyFrom(key, since),
    };
  }

  /** @throws EventIndexClearedError */
  #historyFrom(key: string, since: number): Iterable<StoreEvent> {
    const { floor } = this.#history;
    if (since >= floor) return since > this.#store.index ? [] : this.#history.from(since);
    throw this.#error(
      401,
      `the requested history has been cleared [${floor}/${since}]`,
      "GET",
      key,
    );
  }

  #read(request: GetRequest): EtcdResponse | undefined {
    try {
      return responseOfEvent(this.#store.apply(request, this.#clock.now()), this.#origin);
    } catch (error) {
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  get #origin(): ResponseOrigin {
    const { index } = this.#store;
    return {
      etcdServer: ENDPOINT,
      etcdClusterId: this.#clusterId,
      etcdIndex: index,
      raftIndex: index,
      raftTerm: 1,
    };
  }

  #apply(request: KeyRequest): StoreEvent {
    try {
      const event = this.#store.apply(request, this.#clock.now());
      this.#counters.countSuccess(request.action);
      return event;
    } catch (error) {
      throw this.#failure(error, request);
    }
  }

  /** The error for a failed request, which is counted. */
  #failure(error: unknown, request: KeyRequest): unknown {
    if (!(error instanceof StoreError)) return error;
    this.#counters.countFailure(request.action);
    return this.#error(error.errorCode, error.detail, methodOf(request), request.key);
  }

  /** Executes a large read. The result is the state at its first step. */
  async #list(request: GetRequest, signal: AbortSignal | undefined): Promise<EtcdResponse> {
    let origin = this.#origin;
    const start = (): Listing => {
      origin = this.#origin;
      return this.#store.list(request, this.#clock.now());
    };
    const check = (): void => this.#requireOpen(`GET ${request.key}`, signal, "none");
    try {
      const node = await this.#listings.run(start, check);
      this.#counters.countSuccess("get");
      return responseOfEvent({ action: "get", node }, origin);
    } catch (error) {
      throw this.#failure(error, request);
    }
  }

  #publish(event: StoreEvent): void {
    this.#history.add(event);
    this.#hub.notify([event]);
    this.#delivered.set(event.node.modifiedIndex);
    this.#scheduleSweep();
  }

  #scheduleSweep(): void {
    if (this.#store.hasTtls)
      this.#cancelSweep ??= this.#clock.after(SWEEP_INTERVAL_MS, this.#sweep);
  }

  readonly #sweep = (): void => {
    this.#cancelSweep = undefined;
    const now = this.#clock.now();
    for (let event = this.#store.expireNext(now); event; event = this.#store.expireNext(now)) {
      this.#counters.countExpiry();
      this.#publish(event);
    }
    this.#scheduleSweep();
  };

  #requireOpen(
    operation: string,
    signal: AbortSignal | undefined,
    outcome: AbortError["outcome"],
  ): void {
    if (this.closed) throw new TypeError("the key space is closed; create a new one");
    if (signal?.aborted === true) throw new AbortError(operation, signal.reason, outcome);
  }

  #error(errorCode: number, detail: string, method: string, key: string): Error {
    // A spread object would take a fifth of a read of a missing key.
    const { reason, status } = errorDefinition(errorCode);
    return serverErrorOf({
      reason,
      status,
      errorCode,
      detail,
      index: this.#store.index,
      key,
      operation: `${method} ${key}`,
      endpoint: ENDPOINT,
      clusterId: this.#clusterId,
    });
  }
}
