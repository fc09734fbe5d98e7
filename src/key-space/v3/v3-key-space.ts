import { AbortError } from "../../errors/abort-error.js";
import {
  notCompleted,
  OutcomeUnknownError,
  type TimeoutError,
} from "../../errors/cluster-errors.js";
import { toHexId } from "../../etcd3/hex-id.js";
import { read } from "../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../etcd3/v3-api.js";
import type { StoreStats } from "../../model/cluster.js";
import {
  type KeyRequest,
  operationOf,
  type WatchRequest,
  wantsNoNodes,
} from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { abortable } from "../../stream/abortable.js";
import { type Clock, systemClock } from "../../time/clock.js";
import { withTimeout } from "../../time/with-timeout.js";
import type { BulkLoading } from "../bulk-loading.js";
import type { CallOptions } from "../call-options.js";
import type { DataLocation } from "../data-location.js";
import type { ExecuteOptions, KeySpace, KeyWatch } from "../key-space.js";
import type { KeyHistory, PastReads } from "../past.js";
import type { Feed, FeedSink } from "../shared/feed.js";
import { FeedSubscription } from "../shared/feed-subscription.js";
import { pathOf } from "../shared/path.js";
import { StoreCounters } from "../shared/store-counters.js";
import type { SubscribeRequest, Subscription } from "../subscription.js";
import { V3Past } from "./past/v3-past.js";
import { allKeys } from "./read/all-keys.js";
import type { BatchMetrics } from "./read/read-batcher.js";
import { unnamedKeys } from "./read/unnamed-keys.js";
import { V3Reader } from "./read/v3-reader.js";
import { checkPath } from "./schema/check-path.js";
import { KeySchema } from "./schema/key-schema.js";
import { Leases } from "./schema/leases.js";
import type { RequestLimits } from "./schema/request-limits.js";
import { StoreGeneration, withGeneration } from "./schema/store-generation.js";
import { type IndexOffset, V3Tree } from "./schema/v3-tree.js";
import type { V3KeySpaceOptions } from "./v3-key-space-options.js";
import { V3WatchSource, type WatchMetrics } from "./watch/v3-watch-source.js";
import { BulkLoader } from "./write/bulk-loader.js";
import type { WriteRequest } from "./write/txn-plan.js";
import { OffsetChangedError } from "./write/v3-writer.js";
import { V3Writes } from "./write/v3-writes.js";
import { RecordLostError } from "./write/write-record.js";

/** Metrics of a {@link V3KeySpace}. */
export interface V3Metrics extends WatchMetrics, BatchMetrics {
  /** Newest index in a response of etcd. */
  readonly newest: number;
}

/** The v2 key space on the v3 API of etcd 3.4 and later, as described in docs/v3.md. */
export class V3KeySpace implements KeySpace {
  readonly #api: V3Api;
  readonly #generation: StoreGeneration;
  readonly #tree: V3Tree;
  readonly #watches: V3WatchSource;
  readonly #reader: V3Reader;
  readonly #writes: V3Writes;
  readonly loading: BulkLoading;
  readonly past: PastReads;
  readonly acceptsIdempotencyKeys = true;
  readonly #counters = new StoreCounters();
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #closing = new AbortController();

  constructor(etcd: V3Api, options: V3KeySpaceOptions = {}) {
    const { keyPrefix = "", clock = systemClock } = options;
    const {
      timeout = 30_000,
      oneEventPerPoll = false,
      idleTimeout = 1_000,
      pollInterval = 60_000,
    } = options;
    const { generation = new StoreGeneration(), recordsWrites = false } = options;
    const { asksForTtls = false } = options;
    const schema = new KeySchema(keyPrefix);
    const api = withGeneration(etcd, generation);
    this.#api = api;
    this.#clock = clock;
    this.#timeout = timeout;
    this.#generation = generation;
    const leases = new Leases(api, clock, asksForTtls);
    this.#tree = new V3Tree(api, schema, clock, () => this.#watches.reopenAll());
    // Register before the watches, which reopen as soon as they end.
    generation.onChange(() => this.#forget());
    const indexOffset = (): Promise<IndexOffset> => this.#tree.indexOffset("quorum");
    const offsetWritten = (): void => this.#tree.forgetIndexOffset();
    this.#watches = new V3WatchSource(api, {
      ...{
        schema,
        clock,
        generation,
        indexOffset,
        offsetWritten,
        oneEventPerPoll,
        idleTimeout,
        pollInterval,
      },
    });
    this.#reader = new V3Reader(this.#tree, leases);
    this.past = this.#checked(new V3Past(this.#tree, this.#reader, timeout));
    this.loading = new BulkLoader(this.#tree, leases);
    this.#writes = new V3Writes(this.#tree, leases, { recordsWrites, timeout });
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: ExecuteOptions,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  async execute(
    request: KeyRequest,
    { signal, attemptTimeout, idempotencyKey }: ExecuteOptions = {},
  ): Promise<EtcdReceipt> {
    this.#requireOpen(signal, abortedBefore(request));
    const deadline = this.#clock.monotonic() + this.#timeout;
    const limits = { signal, attemptTimeout, idempotencyKey, deadline };
    try {
      const running = this.#inOneStore(request, limits);
      // A write ends at its deadline by itself, because only it knows the outcome.
      const isRead = request.action === "get";
      const response = await (isRead ? this.#untilDeadline(running, request, limits) : running);
      this.#counters.countSuccess(request.action);
      return wantsNoNodes(request) ? receiptOf(response) : response;
    } catch (error) {
      this.#counters.countFailure(request.action);
      throw error;
    }
  }

  /** Requests and watches of this process. Expiries are not counted, because etcd executes them. */
  get stats(): StoreStats {
    return this.#counters.show(this.#watches.metrics.watchers);
  }

  /** Metrics of watches and batches of reads. */
  get metrics(): V3Metrics {
    return {
      ...this.#watches.metrics,
      ...this.#reader.metrics,
      newest: this.#tree.newestIndex,
    };
  }

  openWatch(request: WatchRequest, options: CallOptions = {}): Promise<KeyWatch> {
    return this.#query(request, options, () => this.#watches.openWatch(request, options));
  }

  subscribe(request: SubscribeRequest, { signal }: CallOptions = {}): Subscription {
    const feed = (sink: FeedSink): Feed => this.#watches.feed(this, request, sink);
    const settings = { feed, clock: this.#clock, closed: this.#closing.signal };
    return new FeedSubscription(request, settings, signal);
  }

  async locate(key: string, { signal }: CallOptions = {}): Promise<DataLocation> {
    const operation = `GET ${key} (for the revision of the store)`;
    const call: V3Call = { operation, key, safety: "read", scope: "quorum", signal };
    const { schema } = this.#tree;
    const path = pathOf(key);
    const { header } = await this.#tree.read([read(schema.file(path))], call);
    const clusterId = toHexId(header.cluster_id);
    return {
      clusterId,
      store: "v3",
      keyPrefix: schema.filePrefix,
      path,
      revision: header.revision,
    };
  }

  unnamedKeys(key: string, { signal }: CallOptions = {}): AsyncIterable<string> {
    const operation = `GET ${key} (for keys that v2 cannot name)`;
    const call: V3Call = { operation, key, safety: "read", scope: "quorum", signal };
    return unnamedKeys(this.#tree, pathOf(key), call);
  }

  /** The paths of all nodes that have a v3 key, hidden ones too. Some occur twice. */
  async *paths({ signal }: CallOptions = {}): AsyncGenerator<string, void, undefined> {
    const operation = "GET of all keys (for hidden ones)";
    const call: V3Call = { operation, key: "/", safety: "read", scope: "quorum", signal };
    const { schema } = this.#tree;
    for await (const key of allKeys(this.#tree, schema.everything, call)) {
      const { path = "" } = schema.decode(key) ?? {};
      if (path !== "") yield path;
    }
  }

  /** The index of a revision of etcd, with the present offset between them. */
  async indexOf(revision: number): Promise<number> {
    this.#tree.forgetIndexOffset();
    return revision + (await this.#tree.indexOffset("quorum")).offset;
  }

  /**
   * Registers the tree, which otherwise the first write does.
   *
   * @throws NestedPrefixError
   */
  async register(): Promise<void> {
    await this.#tree.indexOffset("quorum");
    await this.#tree.register();
  }

  /**
   * Ends every watch without an error, after the events that it has queued. Calls continue.
   *
   * @returns the index up to which they have delivered everything; 0: there was none
   */
  endWatches(): number {
    const { index } = this.#watches.metrics;
    this.#watches.reopenAll();
    return index;
  }

  /** Also closes the API passed to the constructor. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the key space was closed"));
    this.#watches.close();
    this.#api.close();
  }

  #checked(past: PastReads): PastReads {
    return {
      getAt: (request, index, options = {}) =>
        this.#query(request, options, () => past.getAt(request, index, options)),
      history: (key, options = {}): Promise<KeyHistory> =>
        this.#query({ key }, options, () => past.history(key, options)),
    };
  }

  async #query<T>(
    { key }: { readonly key: string },
    { signal }: CallOptions,
    query: () => Promise<T>,
  ): Promise<T> {
    const aborted = (reason: unknown): Error => new AbortError(`GET ${key}`, reason, "none");
    this.#requireOpen(signal, aborted);
    checkPath(pathOf(key), { operation: `GET ${key}`, key });
    return await abortable(query(), signal, aborted);
  }

  /** Executes a request with the indexes of the store that executes it. */
  async #inOneStore(request: KeyRequest, limits: RequestLimits): Promise<EtcdResponse> {
    for (;;) {
      if (this.#clock.monotonic() >= limits.deadline) throw this.#notCompleted(request);
      const { number } = this.#generation;
      const indexOffset =
        this.#currentOffset(request) ?? (await this.#indexOffset(request, limits));
      const response =
        request.action === "get"
          ? await this.#reader.get(request, indexOffset.offset, limits)
          : await this.#writeOn(indexOffset, request, limits);
      if (response === undefined) continue;
      if (number === this.#generation.number) return response;
      if (await this.#isOffset(indexOffset, request, response, limits)) return response;
      if (request.action === "get") continue;
      const cause = new Error("the response comes from another store, whose indexes differ");
      throw outcomeUnknown(request, response, cause);
    }
  }

  /** Whether the offset is still the same, now that another store may respond. */
  async #isOffset(
    { offset }: IndexOffset,
    request: KeyRequest,
    response: EtcdResponse,
    limits: RequestLimits,
  ): Promise<boolean> {
    try {
      return offset === (await this.#indexOffset(request, limits)).offset;
    } catch (error) {
      // The write is done: an error of the read must not deny that.
      const isWrite = request.action !== "get" && error instanceof Error;
      throw isWrite ? outcomeUnknown(request, response, error) : error;
    }
  }

  /** The offset if the request can be executed at once: a promise and a timer would cost as much as an encoding. */
  #currentOffset({ action }: KeyRequest): IndexOffset | undefined {
    return action !== "get" && this.#tree.mustRegister ? undefined : this.#tree.currentOffset;
  }

  #indexOffset(request: KeyRequest, limits: RequestLimits): Promise<IndexOffset> {
    const { attemptTimeout } = limits;
    if (request.action !== "get") {
      return this.#untilDeadline(this.#indexOffsetForWrite(attemptTimeout), request, limits);
    }
    const indexOffset = this.#tree.indexOffset(request.quorum ? "quorum" : "local", attemptTimeout);
    return abortable(indexOffset, limits.signal, abortedBefore(request));
  }

  /** Waits for something that may take longer, because requests share it. */
  #untilDeadline<T>(promise: Promise<T>, request: KeyRequest, limits: RequestLimits): Promise<T> {
    return withTimeout(promise, {
      milliseconds: Math.max(1, limits.deadline - this.#clock.monotonic()),
      clock: this.#clock,
      signal: limits.signal,
      onTimeout: () => this.#notCompleted(request),
      onAbort: abortedBefore(request),
    });
  }

  #notCompleted(request: KeyRequest): TimeoutError {
    return notCompleted(operationOf(request), this.#timeout);
  }

  /** Forgets everything about the previous store. */
  #forget(): void {
    this.#tree.forget();
    this.#writes.forget();
  }

  async #indexOffsetForWrite(attemptTimeout: number | undefined): Promise<IndexOffset> {
    const indexOffset = await this.#tree.indexOffset("quorum", attemptTimeout);
    await this.#tree.register();
    return indexOffset;
  }

  /** @returns `undefined` when nothing was written, because what is known of the store is outdated */
  async #writeOn(
    indexOffset: IndexOffset,
    request: WriteRequest,
    options: RequestLimits,
  ): Promise<EtcdResponse | undefined> {
    try {
      return await this.#writes.execute(indexOffset, request, options);
    } catch (error) {
      if (error instanceof OffsetChangedError) this.#tree.forgetIndexOffset();
      else if (error instanceof RecordLostError) this.#writes.forgetRecords();
      else throw error;
      return undefined;
    }
  }

  #requireOpen(signal: AbortSignal | undefined, aborted: (reason: unknown) => Error): void {
    if (this.#closing.signal.aborted)
      throw new TypeError("the key space is closed; create a new one");
    if (signal?.aborted === true) throw aborted(signal.reason);
  }
}

function receiptOf({ node: _, prevNode: __, ...receipt }: EtcdResponse): EtcdReceipt {
  return receipt;
}

/** Returns the error of a request that was aborted before anything was sent. */
function abortedBefore(request: KeyRequest): (reason: unknown) => Error {
  const outcome = request.action === "get" ? "none" : "not-sent";
  return (reason) => new AbortError(operationOf(request), reason, outcome);
}

function outcomeUnknown(
  request: KeyRequest,
  { etcdServer }: EtcdResponse,
  cause: Error,
): OutcomeUnknownError {
  return new OutcomeUnknownError(operationOf(request), etcdServer, cause);
}
