import type { Cluster } from "../../cluster/cluster.js";
import { AdminError } from "../../errors/admin-error.js";
import { ProtocolError } from "../../errors/cluster-errors.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { EtcdCommonError } from "../../errors/server-error.js";
import type { Version } from "../../model/cluster.js";
import type { KeyRequest, ScanRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdReceipt, EtcdResponse } from "../../model/response.js";
import { decodeAdminReply, isVersion } from "../../wire/admin-reply.js";
import { adminGet } from "../../wire/admin-request.js";
import type { HttpReply } from "../../wire/http.js";
import type { JsonDeserializer } from "../../wire/json.js";
import { decodeKeyReply } from "../../wire/key-reply.js";
import { encodeKeyRequest, encodeScanRequest, encodeWatchRequest } from "../../wire/key-request.js";
import { requireSuccess } from "../../wire/reply.js";
import type { CallOptions } from "../call-options.js";
import type { DataLocation } from "../data-location.js";
import type { ExecuteOptions, KeySpace, KeyWatch, Probe, Scan } from "../key-space.js";
import { pathOf } from "../shared/path.js";
import { RemoteScan } from "./remote-scan.js";
import { RemoteWatch } from "./remote-watch.js";

/** The key space of a cluster that serves the v2 API. */
export class RemoteKeySpace implements KeySpace {
  readonly #cluster: Cluster;
  readonly #deserialize: JsonDeserializer;

  constructor(cluster: Cluster, deserialize: JsonDeserializer) {
    this.#cluster = cluster;
    this.#deserialize = deserialize;
  }

  execute(
    request: KeyRequest & { readonly noValueOnSuccess: true },
    options?: ExecuteOptions,
  ): Promise<EtcdReceipt>;
  execute(request: KeyRequest, options?: ExecuteOptions): Promise<EtcdResponse>;
  execute(
    request: KeyRequest,
    { signal, attemptTimeout: timeout }: ExecuteOptions = {},
  ): Promise<EtcdReceipt> {
    const encoded = encodeKeyRequest(request);
    const http = timeout === undefined ? encoded : { ...encoded, timeout };
    return this.#cluster.send(
      http,
      (reply) => decodeKeyReply(http, reply, request, this.#deserialize),
      signal,
    );
  }

  openWatch(request: WatchRequest, { signal }: CallOptions = {}): Promise<KeyWatch> {
    const http = encodeWatchRequest(request);
    const probe = (url: string, options?: CallOptions): Promise<Probe> =>
      this.#probe(url, request, options);
    return this.#cluster.open(
      http,
      (reply) => requireSuccess(http, reply, request.key),
      (reply) => new RemoteWatch(http, reply, this.#deserialize, probe),
      signal,
    );
  }

  async scan(request: ScanRequest, { signal }: CallOptions = {}): Promise<Scan> {
    const http = encodeScanRequest(request);
    const scan = await this.#cluster.open(
      http,
      (reply) => requireSuccess(http, reply, request.key),
      (reply) => new RemoteScan(http, reply, this.#deserialize),
      signal,
    );
    return await scan.read(this.#cluster.clock);
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
      if (!isLinearizable(error)) throw error;
      return { clusterId: error.clusterId ?? "", revision: error.index };
    }
  }

  /** `undefined` when a proxy allows key requests only. */
  async #version({ signal }: CallOptions): Promise<Version | undefined> {
    const http = adminGet("/version");
    const read = (reply: HttpReply): Version => decodeAdminReply(http, reply, isVersion);
    try {
      return await this.#cluster.send(http, read, signal);
    } catch (error) {
      if (error instanceof AdminError || error instanceof ProtocolError) return undefined;
      throw error;
    }
  }

  async #probe(
    url: string,
    { key, recursive = false }: WatchRequest,
    { signal }: CallOptions = {},
  ): Promise<Probe> {
    const request = {
      action: "get",
      key: recursive ? unusedKey(key) : key,
      quorum: true,
    } as const;
    const http = encodeKeyRequest(request);
    const read = (reply: HttpReply): Probe => {
      const response = decodeKeyReply(http, reply, request, this.#deserialize) as EtcdResponse;
      const { etcdClusterId, etcdIndex: index, node } = response;
      const isFile = !recursive && node.dir !== true;
      return { etcdClusterId, index, ...(isFile && { fileIndex: node.modifiedIndex }) };
    };
    try {
      return await this.#cluster.sendTo(url, http, read, signal);
    } catch (error) {
      if (!isLinearizable(error)) throw error;
      return { etcdClusterId: error.clusterId ?? "", index: error.index };
    }
  }

  async close(): Promise<void> {
    this.#cluster.close();
  }
}

/**
 * The key that probes of a recursive watch read: a name that is not used, so that no directory is
 * listed. The permission to watch the key includes the permission to read it.
 */
function unusedKey(below: string): string {
  return `${pathOf(below)}/_etcdnet`;
}

/** A linearizable read can also prove that the key does not exist. */
function isLinearizable(error: unknown): error is EtcdCommonError {
  return error instanceof EtcdCommonError && !(error instanceof UnauthorizedError);
}
