import { EventEmitter } from "node:events";
import { OptionError } from "../errors/option-error.js";
import { EtcdServerError } from "../errors/server-error.js";
import type { AuthApi } from "../key-space/auth-api.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { ClusterApi, MembersApi, StatsApi } from "../key-space/cluster-api.js";
import { NamespaceKeySpace } from "../key-space/decorators/namespace-key-space.js";
import { PastKeySpace } from "../key-space/decorators/past-key-space.js";
import type { ExecuteOptions, KeySpace } from "../key-space/key-space.js";
import type { HistoryOptions, KeyHistory, PastReads } from "../key-space/past.js";
import type { EndpointHealth, Version } from "../model/cluster.js";
import type { Condition, KeyRequest } from "../model/key-request.js";
import { type KnownOptions, refuseUnknown } from "../model/option-names.js";
import type { EtcdNodeResponse, EtcdReceipt, EtcdResponse } from "../model/response.js";
import { checkIndex, checkKey, checkKeyRequest, checkWatchRequest } from "../model/validate.js";
import { Election, type ElectionOptions } from "../recipes/election/election.js";
import { KeepAlive } from "../recipes/lease/keep-alive.js";
import type { KeepAliveOptions } from "../recipes/lease/keep-alive-options.js";
import { Lock, type LockOptions } from "../recipes/lock/lock.js";
import { Mirror } from "../recipes/mirror/mirror.js";
import type { MirrorOptions } from "../recipes/mirror/mirror-options.js";
import { Queue, type QueueOptions } from "../recipes/queue/queue.js";
import { Registry, type RegistryOptions } from "../recipes/registry/registry.js";
import { type Clock, systemClock } from "../time/clock.js";
import { nextTick } from "../time/event-loop.js";
import { linkSignals } from "../time/link-signals.js";
import { KeyWatcher } from "../watch/key-watcher.js";
import { watchOnce } from "../watch/watch-once.js";
import type { Watcher, WatchOptions } from "../watch/watcher.js";
import { checkIdempotencyKey } from "./idempotency-key.js";
import {
  compareAndDeleteRequest,
  compareAndSwapRequest,
  createRequest,
  deleteRequest,
  getRequest,
  refreshRequest,
  setRequest,
  updateRequest,
  watchRequest,
} from "./key-requests.js";
import { type ClusterChange, LastStore } from "./last-store.js";
import { nullIfNotFound, valueOfFile, valueOrNull, withAdviceOnDirectory } from "./node-value.js";
import { checkOptions, completeOptions } from "./normalize-options.js";
import { openKeySpace } from "./open-key-space.js";
import type {
  DeleteOptions,
  DirectoryOptions,
  FileOptions,
  GetOptions,
  IdempotencyOptions,
  IgnoreKeyNotFound,
  NoValueOnSuccess,
  RefreshOptions,
  SwapOptions,
  WatchNodeOptions,
  WriteOptions,
} from "./operation-options.js";
import type { EtcdClientOptions } from "./options.js";
import { watchSettings } from "./watch-settings.js";

const HISTORY_OPTIONS: KnownOptions<HistoryOptions> = { signal: true, recursive: true };

/** Events of an {@link EtcdClient}. */
export interface EtcdClientEvents {
  /** A response came from another cluster than the responses before. */
  clusterChanged: [ClusterChange];
}

/**
 * A client of etcd's v2 key space. A client supports any number of concurrent calls. Create one
 * client per cluster and share it.
 *
 * Keys begin with `/`. A failed call rejects with an `EtcdError`. A call with an invalid argument or
 * option rejects with a `TypeError`, and sends nothing. A call whose `signal` aborts rejects with an
 * `AbortError`.
 *
 * @example
 * const etcd = new EtcdClient({ endpoints: "http://127.0.0.1:2379" });
 * await etcd.setNode("/config/greeting", "hello");
 * console.log(await etcd.getNodeValue("/config/greeting"));
 * await etcd.close();
 */
export class EtcdClient extends EventEmitter<EtcdClientEvents> implements AsyncDisposable {
  readonly #keySpace: KeySpace;
  readonly #clusterApi: ClusterApi | undefined;
  readonly #consistency: "local" | "quorum";
  /** Measures timeouts, back-offs and TTLs. */
  readonly clock: Clock;
  readonly #store = new LastStore((change) => {
    // In the next tick, so that an error of a listener does not reject the call.
    nextTick(() => this.emit("clusterChanged", change));
  });
  /** Ends watches that wait before they reconnect. The key space does not know them at that time. */
  readonly #closing = new AbortController();
  #closed = this.#closing.signal;
  readonly #onResponse = (response: EtcdResponse): EtcdResponse => {
    this.#store.observe(response);
    return response;
  };
  readonly #onError = (error: unknown): never => {
    // After a cluster is replaced, most responses can be errors: they too show the new cluster.
    if (error instanceof EtcdServerError) this.#store.observeError(error);
    throw error;
  };

  /** @throws TypeError for an option that is unknown or out of range, and for options that contradict each other */
  constructor(options: EtcdClientOptions) {
    super();
    checkOptions(options);
    this.#consistency = options.consistency ?? "local";
    this.clock = options.clock ?? systemClock;
    if (options.keySpace === undefined) {
      const { keySpace, clusterApi } = openKeySpace(completeOptions(options));
      this.#keySpace = keySpace;
      this.#clusterApi = clusterApi;
    } else {
      this.#keySpace = options.keySpace;
      this.#clusterApi = options.clusterApi;
    }
  }

  /** `X-Etcd-Cluster-Id` of the last response; `undefined` before the first one. */
  get clusterId(): string | undefined {
    return this.#store.clusterId;
  }

  /** Highest `etcdIndex` in responses of the current cluster; 0 before the first response. */
  get lastIndex(): number {
    return this.#store.index;
  }

  /** Aborts when the client is closed. A namespaced client is closed with the client that created it. */
  get closed(): AbortSignal {
    return this.#closed;
  }

  /** The key space of the client. Only the client closes it. */
  get keySpace(): KeySpace {
    return this.#keySpace;
  }

  /** Lists and changes the members of the cluster. */
  get members(): MembersApi {
    return this.#api("members").members;
  }

  /** Reads counters of the responding member. */
  get stats(): StatsApi {
    return this.#api("stats").stats;
  }

  /**
   * Users, roles and permissions of v2 auth.
   *
   * @throws OptionError when the key space has no v2 auth, as with `api: "v3"`
   */
  get auth(): AuthApi {
    const { auth } = this.#api("auth");
    if (auth === undefined) {
      const instead = "the v3 API has its own users (see etcdctl user); a gateway serves /v2/auth";
      throw new OptionError("auth", "this key space has no v2 auth", instead);
    }
    return auth;
  }

  /**
   * Reads a file, or lists a directory.
   *
   * @throws KeyNotFoundError when the key does not exist. With `ignoreKeyNotFound` the result is
   *   `null` instead. To wait for the creation of the key, watch from the error's `index` plus one.
   */
  getNode(
    key: string,
    options?: GetOptions & { ignoreKeyNotFound?: false | undefined },
  ): Promise<EtcdNodeResponse>;
  getNode(key: string, options: GetOptions & IgnoreKeyNotFound): Promise<EtcdNodeResponse | null>;
  getNode(key: string, options: GetOptions & IgnoreKeyNotFound = {}): Promise<EtcdResponse | null> {
    const response = this.#execute(() => getRequest(key, options, this.#consistency), options);
    return options?.ignoreKeyNotFound ? nullIfNotFound(response) : response;
  }

  /**
   * Reads the value of a file. With `ignoreKeyNotFound`, the result is `null` when the key does not
   * exist or is a directory.
   *
   * @throws KeyNotFoundError when the key does not exist, unless `ignoreKeyNotFound` is set
   * @throws NotFileError when the key is a directory, unless `ignoreKeyNotFound` is set
   */
  getNodeValue(
    key: string,
    options?: GetOptions & { ignoreKeyNotFound?: false | undefined },
  ): Promise<string>;
  getNodeValue(key: string, options: GetOptions & IgnoreKeyNotFound): Promise<string | null>;
  getNodeValue(key: string, options: GetOptions & IgnoreKeyNotFound = {}): Promise<string | null> {
    const response = this.getNode(key, options);
    return response.then(options?.ignoreKeyNotFound ? valueOrNull : valueOfFile);
  }

  /**
   * Creates or replaces a file. With the value `null` and `dir: true`, creates a directory or
   * replaces a file by one. The node gets a new `createdIndex`. Missing parent directories are
   * created.
   *
   * @throws NotFileError when the key is an existing directory
   * @throws NotDirError when a parent is a file
   * @throws RootReadOnlyError when the key is `/`
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  setNode(
    key: string,
    value: string,
    options: FileOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  setNode(key: string, value: string, options?: FileOptions): Promise<EtcdNodeResponse>;
  setNode(key: string, value: null, options: DirectoryOptions): Promise<EtcdNodeResponse>;
  setNode(key: string, value: string | null, options: WriteOptions = {}): Promise<EtcdResponse> {
    return this.#execute(() => setRequest(key, value, options), options);
  }

  /**
   * Creates a file, or a directory with the value `null` and `dir: true`. Missing parent
   * directories are created.
   *
   * @throws NodeExistError when the key already exists
   * @throws NotDirError when a parent is a file
   * @throws RootReadOnlyError when the key is `/`
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  createNode(
    key: string,
    value: string,
    options: FileOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  createNode(key: string, value: string, options?: FileOptions): Promise<EtcdNodeResponse>;
  createNode(key: string, value: null, options: DirectoryOptions): Promise<EtcdNodeResponse>;
  createNode(key: string, value: string | null, options: WriteOptions = {}): Promise<EtcdResponse> {
    return this.#execute(() => createRequest(key, value, options, false), options);
  }

  /**
   * Creates a file, or a directory with the value `null` and `dir: true`, in the directory `key`.
   * Creates that directory if it does not exist. etcd chooses the name of the node: names increase
   * in the order of creation.
   *
   * @throws NotDirError when `key` or a parent is a file
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  createInOrderNode(
    key: string,
    value: string,
    options: FileOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  createInOrderNode(key: string, value: string, options?: FileOptions): Promise<EtcdNodeResponse>;
  createInOrderNode(key: string, value: null, options: DirectoryOptions): Promise<EtcdNodeResponse>;
  createInOrderNode(
    key: string,
    value: string | null,
    options: WriteOptions = {},
  ): Promise<EtcdResponse> {
    return this.#execute(() => createRequest(key, value, options, true), options);
  }

  /**
   * Changes the value and the TTL of an existing file. With the value `null` and `dir: true`,
   * changes the TTL of an existing directory; in etcd 3.5 this fails with error 300.
   * `createdIndex` does not change.
   *
   * @throws KeyNotFoundError when the key does not exist
   * @throws NotFileError when a value is given and the key is a directory
   * @throws RootReadOnlyError when the key is `/`
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  updateNode(
    key: string,
    value: string,
    options: FileOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  updateNode(key: string, value: string, options?: FileOptions): Promise<EtcdNodeResponse>;
  updateNode(key: string, value: null, options: DirectoryOptions): Promise<EtcdNodeResponse>;
  updateNode(key: string, value: string | null, options: WriteOptions = {}): Promise<EtcdResponse> {
    return this.#execute(() => updateRequest(key, value, options), options);
  }

  /**
   * Sets the TTL of an existing node to `ttl` seconds from now, and keeps its value. Watches get no
   * event, although the index of the key space increases. `prevValue` and `prevIndex` are an optional
   * condition.
   *
   * @throws KeyNotFoundError when the key does not exist
   * @throws TestFailedError when the node does not match the condition
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  refreshNode(
    key: string,
    ttl: number,
    options: RefreshOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  refreshNode(key: string, ttl: number, options?: RefreshOptions): Promise<EtcdNodeResponse>;
  refreshNode(key: string, ttl: number, options: RefreshOptions = {}): Promise<EtcdResponse> {
    return this.#execute(() => refreshRequest(key, ttl, options), options);
  }

  /**
   * Deletes a file. `dir` also permits an empty directory. `recursive` also permits a directory
   * with everything in it.
   *
   * @throws KeyNotFoundError when the key does not exist. With `ignoreKeyNotFound` the result is
   *   `null` instead.
   * @throws NotFileError when the key is a directory, without `dir` and `recursive`
   * @throws DirNotEmptyError when the directory has children, including hidden ones, without
   *   `recursive`
   * @throws RootReadOnlyError when the key is `/`
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  deleteNode(
    key: string,
    options?: DeleteOptions & { ignoreKeyNotFound?: false | undefined },
  ): Promise<EtcdResponse>;
  deleteNode(key: string, options: DeleteOptions & IgnoreKeyNotFound): Promise<EtcdResponse | null>;
  deleteNode(
    key: string,
    options: DeleteOptions & IgnoreKeyNotFound = {},
  ): Promise<EtcdResponse | null> {
    const response = withAdviceOnDirectory(
      this.#execute(() => deleteRequest(key, options), options),
    );
    return options?.ignoreKeyNotFound ? nullIfNotFound(response) : response;
  }

  /**
   * Changes the value of a file if its value, its `modifiedIndex`, or both match the condition.
   *
   * @throws TestFailedError when the file does not match the condition
   * @throws KeyNotFoundError when the key does not exist
   * @throws NotFileError when the key is a directory
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  compareAndSwapNode(
    key: string,
    condition: Condition,
    value: string,
    options: SwapOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  compareAndSwapNode(
    key: string,
    condition: Condition,
    value: string,
    options?: SwapOptions,
  ): Promise<EtcdNodeResponse>;
  compareAndSwapNode(
    key: string,
    condition: Condition,
    value: string,
    options: SwapOptions = {},
  ): Promise<EtcdResponse> {
    return this.#execute(() => compareAndSwapRequest(key, condition, value, options), options);
  }

  /**
   * Deletes a file if its value, its `modifiedIndex`, or both match the condition.
   *
   * @throws TestFailedError when the file does not match the condition
   * @throws KeyNotFoundError when the key does not exist
   * @throws NotFileError when the key is a directory
   * @throws OutcomeUnknownError when the write was sent but no response was received
   */
  compareAndDeleteNode(
    key: string,
    condition: Condition,
    options: IdempotencyOptions = {},
  ): Promise<EtcdResponse> {
    return this.#execute(() => compareAndDeleteRequest(key, condition, options), options);
  }

  /**
   * Waits for one change of the key, without a time limit. If the connection breaks, the watch
   * continues on another member at the next index, so it misses no change.
   *
   * @throws EventIndexClearedError when etcd has discarded events since `waitIndex` (it keeps 1000).
   *   Read the key again, then wait from that response's `etcdIndex` plus one.
   * @throws ClusterUnavailableError when no member accepts the watch
   */
  async watchNode(key: string, options: WatchNodeOptions = {}): Promise<EtcdResponse> {
    const request = watchRequest(key, options);
    checkWatchRequest(request);
    const linked = linkSignals(options.signal, this.#closed);
    const source = { keySpace: this.#keySpace, clock: this.clock };
    try {
      const event = await watchOnce(source, request, { signal: linked.signal });
      this.#store.observe(event);
      return event;
    } finally {
      linked.unlink();
    }
  }

  /**
   * Watches a key and returns its changes, for `for await`. Each change is returned once and in
   * order, also after failures of members and connections. If etcd has discarded changes, the watch
   * returns a resync with the complete state instead.
   *
   * The watch starts immediately. After a transient failure it reconnects and continues.
   * `currentAt` is the time up to which the changes are known to be complete.
   *
   * The iteration rejects with
   * - `AbortError` when the signal aborts or the client is closed,
   * - `UnauthorizedError` when the user may not read the key,
   * - `V2DisabledError` when the server does not provide the v2 API,
   * - `ProtocolError` for a response that etcd never sends.
   *
   * @throws TypeError for an invalid key or option
   */
  watch(key: string, options: WatchOptions = {}): Watcher {
    const subscription = this.#keySpace.subscribe(watchSettings(key, options), options);
    return new KeyWatcher(key, subscription, (origin) => this.#store.observe(origin));
  }

  /**
   * Creates a key with a TTL, renews it while this process runs, and deletes it on `close()`. The
   * event `lost` reports that the ownership of the key is no longer proven. `value` identifies the
   * owner, so it must be unique among all owners of the key.
   *
   * @throws TypeError for an invalid key, value or option
   * @throws NodeExistError when the key exists and `ifExists` does not permit to take it over
   * @throws OwnershipLostError when the response was received too late to prove the ownership
   * @throws OutcomeUnknownError when no attempt received a response. If an attempt created the key,
   *   the key is deleted.
   */
  keepAlive(key: string, value: string, options: KeepAliveOptions): Promise<KeepAlive> {
    return KeepAlive.create(this, key, value, options);
  }

  /**
   * Creates a {@link Lock}, like `new Lock(etcd, key, options)`. Sends nothing before `acquire`.
   *
   * @throws TypeError for an invalid key or option
   */
  lock(key: string, options?: LockOptions): Lock {
    return new Lock(this, key, options);
  }

  /**
   * Creates an {@link Election}, like `new Election(etcd, key, options)`. Sends nothing before its first call.
   *
   * @throws TypeError for an invalid key or option
   */
  election(key: string, options?: ElectionOptions): Election {
    return new Election(this, key, options);
  }

  /**
   * Creates a {@link Mirror}, like `new Mirror(etcd, key, options)`. It starts to load immediately.
   *
   * @throws TypeError for an invalid key or option
   */
  mirror(key: string, options?: MirrorOptions): Mirror {
    return new Mirror(this, key, options);
  }

  /**
   * Creates a {@link Queue}, like `new Queue(etcd, key, options)`. Sends nothing before its first call.
   *
   * @throws TypeError for an invalid key or option
   */
  queue(key: string, options?: QueueOptions): Queue {
    return new Queue(this, key, options);
  }

  /**
   * Creates a {@link Registry}, like `new Registry(etcd, key, options)`. Sends nothing before its first call.
   *
   * @throws TypeError for an invalid key or option
   */
  registry<M = unknown>(key: string, options?: RegistryOptions<M>): Registry<M> {
    return new Registry(this, key, options);
  }

  /**
   * Executes any request of the key space. Use it for requests that the other methods do not offer,
   * such as a `set` with `refresh`.
   */
  execute(request: KeyRequest & NoValueOnSuccess, options?: ExecuteOptions): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  execute(request: KeyRequest, options: ExecuteOptions = {}): Promise<EtcdResponse> {
    return this.#execute(() => request, options);
  }

  /** Client URLs that the members advertise, sorted. */
  machines(options?: CallOptions): Promise<readonly string[]> {
    return this.#api("machines").machines(options);
  }

  /** Release of the responding member, and version of the cluster. */
  version(options?: CallOptions): Promise<Version> {
    return this.#api("version").version(options);
  }

  /**
   * Health of every known endpoint. All endpoints are queried in parallel. An endpoint that is down
   * is part of the result, not an error.
   *
   * @throws TimeoutError, AbortError, ClusterUnavailableError while discovery has not found the
   *   endpoints
   */
  health(options?: CallOptions): Promise<readonly EndpointHealth[]> {
    return this.#api("health").health(options);
  }

  /**
   * Creates a client for the subtree below `prefix`, whose root is the `/` of the new client. Keys in
   * its requests, responses, events and errors do not contain the prefix. It shares the connections
   * of this client, and is closed with this client. Its own `close()` does nothing.
   *
   * @throws TypeError for a prefix that is not a valid key
   */
  namespace(prefix: string): EtcdClient {
    checkKey(prefix, "prefix");
    return this.#with(new NamespaceKeySpace(this.#keySpace, prefix.replace(/\/$/, "")));
  }

  #with(keySpace: KeySpace): EtcdClient {
    const client = new EtcdClient({
      keySpace,
      consistency: this.#consistency,
      clock: this.clock,
      ...(this.#clusterApi && { clusterApi: this.#clusterApi }),
    });
    client.#closed = this.#closed;
    return client;
  }

  /**
   * Creates a client for the past: its reads show the state after the change with this index. Its writes
   * and watches reject. It shares the connections of this client, and is closed with this client. Only
   * with `api: "v3"`, and only until etcd has compacted that revision.
   *
   * Reads always are linearizable. `ttl` counts from now, so it is negative for a node that has expired since.
   * A read rejects with `EventIndexClearedError` (401) when etcd no longer holds the state, and with
   * `InvalidFieldError` (209) when the index is after the current one.
   *
   * @throws TypeError for an invalid index
   * @throws OptionError when the key space holds nothing of the past, as with the v2 API
   */
  at(index: number): EtcdClient {
    checkIndex("index", index, 1);
    return this.#with(new PastKeySpace(this.#past(), index));
  }

  /**
   * Opens the history of a key: every change that etcd still holds, with the nodes before and after it. Only
   * with `api: "v3"`. A directory has the changes of itself; with `recursive`, also of everything below it.
   *
   * Iterating rejects with `EventIndexClearedError` (401) if etcd compacts changes before they are read.
   *
   * @throws OptionError when the key space holds nothing of the past, as with the v2 API
   */
  async history(key: string, options: HistoryOptions = {}): Promise<KeyHistory> {
    checkKey(key);
    refuseUnknown(options, HISTORY_OPTIONS);
    return await this.#past().history(key, options).catch(this.#onError);
  }

  /**
   * Aborts all calls and watches and closes all connections. Later calls reject. On a namespaced
   * client it does nothing.
   */
  close(): Promise<void> {
    this.#closing.abort(new Error("the client was closed"));
    return this.#keySpace.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Every failure rejects the promise, also an invalid argument. An async function would need four
   * times the memory during the call.
   */
  #execute(build: () => KeyRequest, options: ExecuteOptions): Promise<EtcdResponse> {
    try {
      const request = build();
      checkKeyRequest(request);
      if (options?.idempotencyKey !== undefined) {
        checkIdempotencyKey(options.idempotencyKey, request, this.#keySpace);
      }
      return this.#keySpace.execute(request, options).then(this.#onResponse, this.#onError);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #past(): PastReads {
    const { past } = this.#keySpace;
    if (past !== undefined) return past;
    const instead = "etcd's v2 API keeps no earlier states; watch() reports changes from now on";
    throw new OptionError("api", 'only "v3" can read the past', instead);
  }

  #api(field: string): ClusterApi {
    if (this.#clusterApi !== undefined) return this.#clusterApi;
    throw new OptionError(
      field,
      "this key space has no cluster API",
      "pass the option clusterApi together with keySpace",
    );
  }
}
