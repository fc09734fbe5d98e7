import { EventEmitter } from "node:events";
import { KeyNotFoundError, NotFileError } from "../errors/common-errors.js";
import { errorDefinition } from "../errors/error-table.js";
import { EtcdServerError } from "../errors/server-error.js";
import type { AuthApi } from "../key-space/auth-api.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { ClusterApi, MembersApi, StatsApi } from "../key-space/cluster-api.js";
import { NamespaceKeySpace } from "../key-space/decorators/namespace-key-space.js";
import type { ExecuteOptions, KeySpace } from "../key-space/key-space.js";
import type { EndpointHealth, Version } from "../model/cluster.js";
import type { Condition, KeyRequest } from "../model/key-request.js";
import type {
  AnswerOrigin,
  EtcdNodeResponse,
  EtcdReceipt,
  EtcdResponse,
} from "../model/response.js";
import { checkKey, checkKeyRequest, checkWatchRequest } from "../model/validate.js";
import { Election, type ElectionOptions } from "../recipes/election/election.js";
import { KeepAlive } from "../recipes/lease/keep-alive.js";
import type { KeepAliveOptions } from "../recipes/lease/keep-alive-options.js";
import { Lock, type LockOptions } from "../recipes/lock/lock.js";
import { Mirror } from "../recipes/mirror/mirror.js";
import type { MirrorOptions } from "../recipes/mirror/mirror-options.js";
import { Queue, type QueueOptions } from "../recipes/queue/queue.js";
import { Registry, type RegistryOptions } from "../recipes/registry/registry.js";
import { type Clock, systemClock } from "../time/clock.js";
import { linkSignals } from "../time/link-signals.js";
import { KeyWatcher } from "../watch/key-watcher.js";
import { SharedReads } from "../watch/shared-reads.js";
import { watchOnce } from "../watch/watch-once.js";
import type { Watcher, WatchOptions } from "../watch/watcher.js";
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
import { checkOptions, completeOptions } from "./normalize-options.js";
import { openKeySpace } from "./open-key-space.js";
import type {
  DeleteOptions,
  DirectoryOptions,
  FileOptions,
  GetOptions,
  IgnoreKeyNotFound,
  NoValueOnSuccess,
  RefreshOptions,
  SwapOptions,
  WatchNodeOptions,
  WriteOptions,
} from "./operation-options.js";
import type { EtcdClientOptions } from "./options.js";
import { watchSettings } from "./watch-settings.js";

/** A change of the cluster behind the endpoints. Indexes of the former cluster mean nothing in the new one. */
export interface ClusterChange {
  /** Id of the former cluster. */
  readonly from: string;
  /** Id of the new cluster. */
  readonly to: string;
  /** URL of the endpoint whose response had the new id. */
  readonly etcdServer: string;
}

/** Events of an {@link EtcdClient}. */
export interface EtcdClientEvents {
  /** A response came from another cluster than the responses before. */
  clusterChanged: [ClusterChange];
}

/**
 * A client of etcd's v2 key space. One client serves any number of concurrent calls; make one per
 * cluster and share it.
 *
 * Keys begin with `/`. Every call rejects with an `EtcdError` when it fails, with `TypeError` when
 * it was given something that makes no sense, before anything is sent, and with `AbortError` when
 * its `signal` aborts.
 */
export class EtcdClient extends EventEmitter<EtcdClientEvents> implements AsyncDisposable {
  readonly #keySpace: KeySpace;
  readonly #clusterApi: ClusterApi | undefined;
  readonly #watchReads: SharedReads;
  readonly #consistency: "local" | "quorum";
  /** The client's time: what its time-outs, back-offs and TTLs are measured by. */
  readonly clock: Clock;
  #clusterId: string | undefined;
  #lastIndex = 0;
  /** Ends watches that wait to be opened again: the key space knows nothing of them then. */
  readonly #closing = new AbortController();
  #closed = this.#closing.signal;
  readonly #answered = (answer: EtcdResponse): EtcdResponse => {
    this.#observe(answer);
    return answer;
  };
  readonly #failed = (error: unknown): never => {
    // A cluster that has lost its past answers with little else.
    if (error instanceof EtcdServerError) this.#observeError(error);
    throw error;
  };

  /** @throws TypeError for options that are unknown, out of range or contradictory */
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
    this.#watchReads = new SharedReads(this.#keySpace, this.clock);
  }

  /** `X-Etcd-Cluster-Id` of the last answer; `undefined` before the first. */
  get clusterId(): string | undefined {
    return this.#clusterId;
  }

  /** Highest `etcdIndex` seen in the present cluster; 0 before the first answer. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Aborts when the client is closed, or the one that it is a namespace of. */
  get closed(): AbortSignal {
    return this.#closed;
  }

  /** What the client works on. It is closed with the client, and by nobody else. */
  get keySpace(): KeySpace {
    return this.#keySpace;
  }

  /** The cluster's membership. */
  get members(): MembersApi {
    return this.#api("members").members;
  }

  /** Counters of the member that answers. */
  get stats(): StatsApi {
    return this.#api("stats").stats;
  }

  /** Users, roles and permissions of v2 auth. */
  get auth(): AuthApi {
    const { auth } = this.#api("auth");
    if (auth === undefined) {
      const instead = 'with api: "v3", users are v3\'s own (etcdctl user); gateways serve /v2/auth';
      throw new TypeError(`auth: this key space has no v2 auth; ${instead}`);
    }
    return auth;
  }

  /**
   * Reads a file, or lists a directory.
   *
   * @throws KeyNotFoundError unless `ignoreKeyNotFound`, which answers `null`; the error's `index`
   *   is the one from which to watch for the key's creation
   */
  getNode(
    key: string,
    options?: GetOptions & { ignoreKeyNotFound?: false | undefined },
  ): Promise<EtcdNodeResponse>;
  getNode(key: string, options: GetOptions & IgnoreKeyNotFound): Promise<EtcdNodeResponse | null>;
  getNode(key: string, options: GetOptions & IgnoreKeyNotFound = {}): Promise<EtcdResponse | null> {
    const answer = this.#answer(() => getRequest(key, options, this.#consistency), options);
    return options?.ignoreKeyNotFound ? nullIfNotFound(answer) : answer;
  }

  /**
   * Reads the value of a file. With `ignoreKeyNotFound`, the result is `null` when there is no value: the
   * key does not exist or is a directory.
   *
   * @throws KeyNotFoundError unless `ignoreKeyNotFound`
   * @throws NotFileError for a directory, unless `ignoreKeyNotFound`
   */
  getNodeValue(
    key: string,
    options?: GetOptions & { ignoreKeyNotFound?: false | undefined },
  ): Promise<string>;
  getNodeValue(key: string, options: GetOptions & IgnoreKeyNotFound): Promise<string | null>;
  getNodeValue(key: string, options: GetOptions & IgnoreKeyNotFound = {}): Promise<string | null> {
    const answer = this.getNode(key, options);
    return answer.then(options?.ignoreKeyNotFound ? valueOrNull : valueOfFile);
  }

  /**
   * Creates or replaces a file; with `null` and `dir`, creates a directory, or turns a file into
   * one. The node gets a new `createdIndex`, missing parents are made.
   *
   * @throws NotFileError for an existing directory
   * @throws NotDirError when a parent is a file
   * @throws RootReadOnlyError
   * @throws OutcomeUnknownError when the write was sent and no answer came
   */
  setNode(
    key: string,
    value: string,
    options: FileOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  setNode(key: string, value: string, options?: FileOptions): Promise<EtcdNodeResponse>;
  setNode(key: string, value: null, options: DirectoryOptions): Promise<EtcdNodeResponse>;
  setNode(key: string, value: string | null, options: WriteOptions = {}): Promise<EtcdResponse> {
    return this.#answer(() => setRequest(key, value, options), options);
  }

  /**
   * Creates a file, or with `null` and `dir` a directory, that must not exist.
   *
   * @throws NodeExistError when it does
   * @throws NotDirError when a parent is a file
   * @throws RootReadOnlyError
   * @throws OutcomeUnknownError when the write was sent and no answer came
   */
  createNode(
    key: string,
    value: string,
    options: FileOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  createNode(key: string, value: string, options?: FileOptions): Promise<EtcdNodeResponse>;
  createNode(key: string, value: null, options: DirectoryOptions): Promise<EtcdNodeResponse>;
  createNode(key: string, value: string | null, options: WriteOptions = {}): Promise<EtcdResponse> {
    return this.#answer(() => createRequest(key, value, options, false), options);
  }

  /**
   * Creates a file, or with `null` and `dir` a directory, in the directory `key`, which is made if
   * it is missing. etcd names it: names rise in the order of creation.
   *
   * @throws NotDirError when `key` or a parent is a file
   * @throws OutcomeUnknownError when the write was sent and no answer came
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
    return this.#answer(() => createRequest(key, value, options, true), options);
  }

  /**
   * Changes the value and TTL of an existing file, or with `null` and `dir` the TTL of an existing
   * directory (etcd 3.5 fails at that). `createdIndex` stays.
   *
   * @throws KeyNotFoundError when there is no such node
   * @throws NotFileError for a value given to a directory
   * @throws RootReadOnlyError
   * @throws OutcomeUnknownError when the write was sent and no answer came
   */
  updateNode(
    key: string,
    value: string,
    options: FileOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  updateNode(key: string, value: string, options?: FileOptions): Promise<EtcdNodeResponse>;
  updateNode(key: string, value: null, options: DirectoryOptions): Promise<EtcdNodeResponse>;
  updateNode(key: string, value: string | null, options: WriteOptions = {}): Promise<EtcdResponse> {
    return this.#answer(() => updateRequest(key, value, options), options);
  }

  /**
   * Gives an existing node `ttl` seconds from now and leaves its value. No watcher is notified,
   * though the index moves on. `prevValue` and `prevIndex` make it conditional.
   *
   * @throws KeyNotFoundError when there is no such node
   * @throws TestFailedError when it is not as the condition says
   * @throws OutcomeUnknownError when the write was sent and no answer came
   */
  refreshNode(
    key: string,
    ttl: number,
    options: RefreshOptions & NoValueOnSuccess,
  ): Promise<EtcdReceipt>;
  refreshNode(key: string, ttl: number, options?: RefreshOptions): Promise<EtcdNodeResponse>;
  refreshNode(key: string, ttl: number, options: RefreshOptions = {}): Promise<EtcdResponse> {
    return this.#answer(() => refreshRequest(key, ttl, options), options);
  }

  /**
   * Deletes a file; with `dir` also an empty directory, with `recursive` a directory and all in it.
   *
   * @throws KeyNotFoundError unless `ignoreKeyNotFound`, which answers `null`
   * @throws NotFileError for a directory without `dir` or `recursive`
   * @throws DirNotEmptyError for a directory with children, hidden ones included
   * @throws RootReadOnlyError
   * @throws OutcomeUnknownError when the write was sent and no answer came
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
    const answer = this.#answer(() => deleteRequest(key, options), options);
    return options?.ignoreKeyNotFound ? nullIfNotFound(answer) : answer;
  }

  /**
   * Changes a file if its value, its `modifiedIndex`, or both are as the condition says.
   *
   * @throws TestFailedError when it is not so
   * @throws KeyNotFoundError when there is no such node
   * @throws NotFileError for a directory
   * @throws OutcomeUnknownError when the write was sent and no answer came
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
    return this.#answer(() => compareAndSwapRequest(key, condition, value, options), options);
  }

  /**
   * Deletes a file if its value, its `modifiedIndex`, or both are as the condition says.
   *
   * @throws TestFailedError when it is not so
   * @throws KeyNotFoundError when there is no such node
   * @throws NotFileError for a directory
   * @throws OutcomeUnknownError when the write was sent and no answer came
   */
  compareAndDeleteNode(
    key: string,
    condition: Condition,
    options: CallOptions = {},
  ): Promise<EtcdResponse> {
    return this.#answer(() => compareAndDeleteRequest(key, condition, options), options);
  }

  /**
   * Waits for one change of the key, however long that takes. A connection that breaks meanwhile is
   * made good at another member without missing a change.
   *
   * @throws EventIndexClearedError when changes since `waitIndex` are no longer held: read anew,
   *   then wait from that read's `etcdIndex + 1`
   * @throws ClusterUnavailableError when no member takes the watch
   */
  async watchNode(key: string, options: WatchNodeOptions = {}): Promise<EtcdResponse> {
    const request = watchRequest(key, options);
    checkWatchRequest(request);
    const either = linkSignals(options.signal, this.#closed);
    const source = { keySpace: this.#keySpace, reads: this.#watchReads, clock: this.clock };
    try {
      const event = await watchOnce(source, request, either);
      this.#observe(event);
      return event;
    } finally {
      either.unlink();
    }
  }

  /**
   * Follows a key: `for await`. Every change comes once and in order, whatever happens to members
   * and connections; where etcd's history no longer tells them all, a resync tells the state instead.
   * It begins at once. Failures that time can repair are waited for; `contactAt` tells how current it is.
   *
   * The iteration rejects with `AbortError` as soon as the signal aborts or the client is closed, and
   * with what nothing can repair: `UnauthorizedError`, `V2DisabledError`, and `ProtocolError` for
   * what etcd does not answer.
   */
  watch(key: string, options: WatchOptions = {}): Watcher {
    const settings = watchSettings(key, options);
    const source = {
      keySpace: this.#keySpace,
      reads: this.#watchReads,
      clock: this.clock,
      closed: this.#closed,
      observe: (origin: AnswerOrigin) => this.#observe(origin),
    };
    return new KeyWatcher(source, settings, options.signal);
  }

  /**
   * Creates a key with a TTL and keeps it as long as this process lives: renews it, tells when it is
   * not provably ours any more, and deletes it on `close()`. `value` must be unlike any other
   * owner's: by it the key is recognised as ours.
   *
   * @throws NodeExistError when the key exists, unless `ifExists` says what to do then
   * @throws OwnershipLostError when the answer came too late to prove anything
   * @throws OutcomeUnknownError when no try at it was answered; what came of it is removed
   */
  keepAlive(key: string, value: string, options: KeepAliveOptions): Promise<KeepAlive> {
    return KeepAlive.create(this, key, value, options);
  }

  /**
   * Makes a {@link Lock}, as `new Lock(etcd, key, options)` does. Nothing is sent before `acquire`.
   *
   * @throws TypeError for an invalid key or option
   */
  lock(key: string, options?: LockOptions): Lock {
    return new Lock(this, key, options);
  }

  /**
   * Makes an {@link Election}, as `new Election(etcd, key, options)` does. Nothing is sent before a call.
   *
   * @throws TypeError for an invalid key or option
   */
  election(key: string, options?: ElectionOptions): Election {
    return new Election(this, key, options);
  }

  /**
   * Makes a {@link Mirror}, as `new Mirror(etcd, key, options)` does. It starts to load at once.
   *
   * @throws TypeError for an invalid key or option
   */
  mirror(key: string, options?: MirrorOptions): Mirror {
    return new Mirror(this, key, options);
  }

  /**
   * Makes a {@link Queue}, as `new Queue(etcd, key, options)` does. Nothing is sent before a call.
   *
   * @throws TypeError for an invalid key or option
   */
  queue(key: string, options?: QueueOptions): Queue {
    return new Queue(this, key, options);
  }

  /**
   * Makes a {@link Registry}, as `new Registry(etcd, key, options)` does. Nothing is sent before a call.
   *
   * @throws TypeError for an invalid key or option
   */
  registry<M = unknown>(key: string, options?: RegistryOptions<M>): Registry<M> {
    return new Registry(this, key, options);
  }

  /**
   * Carries out any request of the key space, in its plain form: for what the other methods do not
   * offer, such as a set that refreshes.
   */
  execute(request: KeyRequest & NoValueOnSuccess, options?: ExecuteOptions): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  execute(request: KeyRequest, options: ExecuteOptions = {}): Promise<EtcdResponse> {
    return this.#answer(() => request, options);
  }

  /** Client URLs of all members, as they advertise them. */
  machines(options?: CallOptions): Promise<readonly string[]> {
    return this.#api("machines").machines(options);
  }

  /** Release of the member that answers, and of the cluster. */
  version(options?: CallOptions): Promise<Version> {
    return this.#api("version").version(options);
  }

  /**
   * Health of every endpoint, asked at once. An endpoint that is down is told, not thrown.
   *
   * @throws TimeoutError, AbortError, ClusterUnavailableError where the endpoints are still looked for
   */
  health(options?: CallOptions): Promise<readonly EndpointHealth[]> {
    return this.#api("health").health(options);
  }

  /**
   * A client for the subtree below `prefix`, whose top is its `/`: keys in requests, answers, events
   * and etcd's refusals lack the prefix. It shares this client's connections and ends with it; its
   * own `close()` leaves them open.
   */
  namespace(prefix: string): EtcdClient {
    checkKey(prefix, "prefix");
    const keySpace = new NamespaceKeySpace(this.#keySpace, prefix.replace(/\/$/, ""));
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
   * Aborts what is under way and closes all connections; calls made later are refused. On a
   * namespaced client it does nothing.
   */
  close(): Promise<void> {
    this.#closing.abort(new Error("the client was closed"));
    return this.#keySpace.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Whatever goes wrong rejects the promise, wrong arguments included. Not an async function, which
   * would hold four times the memory for as long as the call takes.
   */
  #answer(build: () => KeyRequest, options: ExecuteOptions): Promise<EtcdResponse> {
    try {
      const request = build();
      checkKeyRequest(request);
      return this.#keySpace.execute(request, options).then(this.#answered, this.#failed);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #api(field: string): ClusterApi {
    if (this.#clusterApi !== undefined) return this.#clusterApi;
    throw new TypeError(`${field}: give the option clusterApi together with keySpace`);
  }

  /** After the answer, so that a listener that throws does not pass for a failed call. */
  #tellChange(change: ClusterChange): void {
    process.nextTick(() => this.emit("clusterChanged", change));
  }

  #observeError({ clusterId, index, endpoint }: EtcdServerError): void {
    if (clusterId === undefined) return;
    this.#observe({ etcdClusterId: clusterId, etcdIndex: index, etcdServer: endpoint });
  }

  #observe({
    etcdClusterId,
    etcdIndex,
    etcdServer,
  }: Pick<AnswerOrigin, "etcdClusterId" | "etcdIndex" | "etcdServer">): void {
    const from = this.#clusterId;
    if (from !== etcdClusterId && etcdClusterId !== "") {
      this.#clusterId = etcdClusterId;
      this.#lastIndex = 0;
      if (from !== undefined) this.#tellChange({ from, to: etcdClusterId, etcdServer });
    }
    if (etcdIndex > this.#lastIndex) this.#lastIndex = etcdIndex;
  }
}

function valueOrNull(answer: EtcdResponse | null): string | null {
  return answer?.node.value ?? null;
}

/** @throws NotFileError */
function valueOfFile(answer: EtcdResponse | null): string | null {
  if (answer === null || answer.node.value !== undefined) return valueOrNull(answer);
  const { etcdServer: endpoint, etcdClusterId: clusterId, etcdIndex: index, node } = answer;
  const { key } = node;
  const request = { key, operation: `GET ${key}`, endpoint, clusterId, index };
  throw new NotFileError({ errorCode: 102, ...errorDefinition(102), detail: key, ...request });
}

async function nullIfNotFound(answer: Promise<EtcdResponse>): Promise<EtcdResponse | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KeyNotFoundError) return null;
    throw error;
  }
}
