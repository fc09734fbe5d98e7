import { completeOptions } from "../../src/client/normalize-options.js";
import type { EtcdClientOptions } from "../../src/client/options.js";
import { RemoteV3Api, type V3Credentials } from "../../src/etcd3/remote-v3-api.js";
import { responseErrorOf } from "../../src/etcd3/response-error.js";
import { RPC } from "../../src/etcd3/rpcs.js";
import type { V3Api } from "../../src/etcd3/v3-api.js";
import { v3Probes } from "../../src/key-space/v3/admin/v3-probes.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { type JsonObject, readObject } from "../../src/wire/json.js";
import { toBase64 } from "../support/base64.js";

/** How a connection is secured. */
export type Security = Pick<EtcdClientOptions, "ca" | "x509Certificate">;

/** etcd's v3 API on these endpoints. */
export function apiOf(
  urls: readonly string[],
  credentials?: V3Credentials,
  security: Security = {},
): RemoteV3Api {
  const { cluster } = completeOptions({ urls, ...security });
  return new RemoteV3Api(cluster, credentials, v3Probes);
}

/** Number of responses of etcd to a gRPC method. */
export async function grpcCalls(url: string, method: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counts = metrics.matchAll(
    new RegExp(`^grpc_server_handled_total\\{.*grpc_method="${method}".*\\} (\\d+)$`, "gm"),
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A key space whose requests are counted. */
export interface Counted {
  readonly keySpace: V3KeySpace;
  /** Paths of the requests since the last call, without background requests. */
  taken(): readonly string[];
}

export function countedKeySpace(urls: readonly string[], keyPrefix = ""): Counted {
  const api = apiOf(urls);
  let paths: string[] = [];
  const counting: V3Api = {
    call(rpc, request, call) {
      if (rpc !== RPC.leaseRevoke) paths.push(rpc.path);
      return api.call(rpc, request, call);
    },
    watch: (request, call) => api.watch(request, call),
    close: () => api.close(),
  };
  return {
    keySpace: new V3KeySpace(counting, { keyPrefix }),
    taken() {
      const taken = paths;
      paths = [];
      return taken;
    },
  };
}

/** A user of the v3 API as it is, through etcd's JSON gateway. */
export class V3Tool {
  readonly #api: RemoteV3Api;
  readonly #credentials: V3Credentials | undefined;
  #token: Promise<string> | undefined;

  constructor(urls: readonly string[], credentials?: V3Credentials, security?: Security) {
    this.#api = apiOf(urls, credentials, security);
    this.#credentials = credentials;
  }

  put(key: string | Buffer, value: string | Buffer, lease = "0"): Promise<JsonObject> {
    return this.ask("kv/put", { key: toBase64(key), value: toBase64(value), lease });
  }

  del(key: string): Promise<JsonObject> {
    return this.ask("kv/deleterange", { key: toBase64(key) });
  }

  delPrefix(prefix: string): Promise<JsonObject> {
    return this.ask("kv/deleterange", {
      key: toBase64(prefix),
      range_end: toBase64(prefix.replace(/\/$/, "0")),
    });
  }

  /** Every key of etcd, as text. */
  async keys(): Promise<readonly string[]> {
    const all = { key: "AA==", range_end: "AA==", keys_only: true };
    const { kvs } = await this.ask("kv/range", all);
    const list = Array.isArray(kvs) ? (kvs as readonly { readonly key: string }[]) : [];
    return list.map(({ key }) => Buffer.from(key, "base64").toString());
  }

  /** Number of writes of each key below a prefix since its creation. */
  async versions(prefix: string): Promise<Readonly<Record<string, number>>> {
    const range = { key: toBase64(prefix), range_end: toBase64(prefix.replace(/\/$/, "0")) };
    const { kvs } = await this.ask("kv/range", range);
    const list = Array.isArray(kvs) ? (kvs as readonly { key: string; version: string }[]) : [];
    const entries = list.map(({ key, version }) => [
      Buffer.from(key, "base64").toString(),
      Number(version),
    ]);
    return Object.fromEntries(entries);
  }

  async leases(): Promise<readonly string[]> {
    const { leases } = await this.ask("lease/leases", {});
    return Array.isArray(leases) ? leases.map(({ ID }: { ID: string }) => ID) : [];
  }

  async ask(path: string, body: object): Promise<JsonObject> {
    const { username: name, password } = this.#credentials ?? {};
    this.#token ??= name === undefined ? undefined : this.#authenticate({ name, password });
    return await this.#post(path, body, await this.#token);
  }

  async #authenticate(credentials: object): Promise<string> {
    return String((await this.#post("auth/authenticate", credentials)).token);
  }

  async #post(path: string, body: object, authorization?: string): Promise<JsonObject> {
    const request = {
      ...CALL,
      method: "POST",
      path: `/v3/${path}`,
      body: JSON.stringify(body),
      contentType: "application/json",
      authorization,
    } as const;
    return await this.#api.cluster.send(
      request,
      (reply) => {
        if (reply.status !== 200) throw responseErrorOf(CALL, reply);
        return readObject(reply.body, JSON.parse, path);
      },
      undefined,
    );
  }

  close(): void {
    this.#api.close();
  }
}

const CALL = { operation: "the tool", key: "/", safety: "write", scope: "quorum" } as const;
