import type { Cluster } from "../../cluster/cluster.js";
import { AdminError } from "../../errors/admin-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import type { Version } from "../../model/cluster.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { adminGet } from "../../wire/admin-request.js";
import { decodeAdminResponse, isVersion } from "../../wire/admin-response.js";
import type { HttpResponse } from "../../wire/http.js";
import type { JsonDeserializer } from "../../wire/json.js";
import type { CallOptions } from "../call-options.js";
import type { DataLocation } from "../data-location.js";
import type { ExecuteOptions, KeySpace, KeyWatch } from "../key-space.js";
import type { Feed, FeedSink } from "../shared/feed.js";
import { FeedSubscription } from "../shared/feed-subscription.js";
import { pathOf } from "../shared/path.js";
import { isMissingNode, unusedKey } from "../shared/read-state.js";
import type { SubscribeRequest, Subscription } from "../subscription.js";
import { GuardedWrite, isGuarded } from "./guarded-write.js";
import { RemoteRequests } from "./remote-requests.js";
import { CheckedPoll } from "./watch/checked-poll.js";
import type { SessionContext } from "./watch/session-context.js";
import { SharedReads } from "./watch/shared-reads.js";
import { WatchSession } from "./watch/watch-session.js";

/** The key space of a cluster that serves the v2 API. */
export class RemoteKeySpace implements KeySpace {
  readonly #cluster: Cluster;
  readonly #requests: RemoteRequests;
  readonly #context: SessionContext;
  readonly #resolveTimeout: number | undefined;
  readonly #closing = new AbortController();

  /**
   * @param resolveTimeout milliseconds for which unknown outcomes of guarded writes are resolved;
   * absent: they are not
   */
  constructor(cluster: Cluster, deserialize: JsonDeserializer, resolveTimeout?: number) {
    this.#cluster = cluster;
    this.#resolveTimeout = resolveTimeout;
    const requests = new RemoteRequests(cluster, deserialize);
    const { clock } = cluster;
    this.#requests = requests;
    this.#context = { keySpace: this, requests, clock, reads: new SharedReads(requests, clock) };
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: ExecuteOptions,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  execute(request: KeyRequest, options: ExecuteOptions = {}): Promise<EtcdReceipt> {
    const timeout = this.#resolveTimeout;
    const requests = this.#requests;
    if (timeout === undefined || !isGuarded(request)) return requests.execute(request, options);
    const { clock } = this.#context;
    const execute = (each: KeyRequest) => requests.execute(each, options);
    const write = new GuardedWrite(request, { execute, requests }, options);
    const deadline = clock.monotonic() + timeout;
    return write.run({ clock, deadline, signal: options.signal });
  }

  async openWatch(request: WatchRequest, { signal }: CallOptions = {}): Promise<KeyWatch> {
    const watch = await this.#requests.openWatch(request, { signal });
    return request.stream === true ? watch : new CheckedPoll(watch, request, this.#context, signal);
  }

  subscribe(request: SubscribeRequest, { signal }: CallOptions = {}): Subscription {
    const feed = (sink: FeedSink): Feed => new WatchSession(this.#context, request, sink);
    const settings = { feed, clock: this.#cluster.clock, closed: this.#closing.signal };
    return new FeedSubscription(request, settings, signal);
  }

  /** A gateway serves the keys of another store and does not return that store's revision. */
  async locate(key: string, options: CallOptions = {}): Promise<DataLocation> {
    const { clusterId, revision } = await this.#readRevision(unusedKey(key), options);
    const path = pathOf(key);
    const version = await this.#version(options);
    if (version === undefined) return { clusterId, store: "unknown", keyPrefix: "", path };
    const { gateway } = version;
    return gateway === undefined
      ? { clusterId, store: "v2", keyPrefix: "", path, revision }
      : { clusterId, store: "v3", keyPrefix: gateway.keyPrefix, path };
  }

  async #readRevision(key: string, options: CallOptions) {
    try {
      const response = await this.execute({ action: "get", key, quorum: true }, options);
      return { clusterId: response.etcdClusterId, revision: response.etcdIndex };
    } catch (error) {
      if (!isMissingNode(error)) throw error;
      return { clusterId: error.clusterId ?? "", revision: error.index };
    }
  }

  /** `undefined` when a proxy allows key requests only. */
  async #version({ signal }: CallOptions): Promise<Version | undefined> {
    const http = adminGet("/version");
    const read = (response: HttpResponse): Version =>
      decodeAdminResponse(http, response, isVersion);
    try {
      return await this.#cluster.send(http, read, signal);
    } catch (error) {
      if (error instanceof AdminError || error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("the key space was closed"));
    this.#cluster.close();
  }
}
