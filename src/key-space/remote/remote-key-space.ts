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
import type { DataLocation } from "../data-location.js";
import type { CallOptions, ExecuteOptions, KeySpace, KeyWatch, Probe, Scan } from "../key-space.js";
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

  /** A gateway serves the keys of another store, and does not tell the revision of that. */
  async locate(key: string, options: CallOptions = {}): Promise<DataLocation> {
    const { clusterId, revision } = await this.#readRevision(nobodysKey(key), options);
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
      const answer = await this.execute({ action: "get", key, quorum: true }, options);
      return { clusterId: answer.etcdClusterId, revision: answer.etcdIndex };
    } catch (error) {
      if (!isAgreedUpon(error)) throw error;
      return { clusterId: error.clusterId ?? "", revision: error.index };
    }
  }

  /** Nothing where a proxy lets requests for keys pass only. */
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
      key: recursive ? nobodysKey(key) : key,
      quorum: true,
    } as const;
    const http = encodeKeyRequest(request);
    const read = (reply: HttpReply): Probe => {
      const answer = decodeKeyReply(http, reply, request, this.#deserialize) as EtcdResponse;
      const { etcdClusterId, etcdIndex: index, node } = answer;
      const isFile = !recursive && node.dir !== true;
      return { etcdClusterId, index, ...(isFile && { fileIndex: node.modifiedIndex }) };
    };
    try {
      return await this.#cluster.sendTo(url, http, read, signal);
    } catch (error) {
      if (!isAgreedUpon(error)) throw error;
      return { etcdClusterId: error.clusterId ?? "", index: error.index };
    }
  }

  async close(): Promise<void> {
    this.#cluster.close();
  }
}

/**
 * What the probe of a recursive watch reads: a name that nobody uses, so that no directory is listed.
 * Whoever may watch the key may read it.
 */
function nobodysKey(below: string): string {
  return `${pathOf(below)}/_etcdnet`;
}

/** That there is no such key is agreed upon, too. */
function isAgreedUpon(error: unknown): error is EtcdCommonError {
  return error instanceof EtcdCommonError && !(error instanceof UnauthorizedError);
}
