import type { RemoteV3Api } from "../../etcd3/remote-v3-api.js";
import { RPC } from "../../etcd3/rpcs.js";
import { firstOf, read } from "../../etcd3/transaction.js";
import { adminGet } from "../../wire/admin-request.js";
import type { MemberProbe } from "./readiness.js";

const OPERATION = "GET /readyz";
const REQUEST = adminGet("/readyz");

/**
 * Sends a small linearizable read to every member of a v3 cluster. Each request of a client needs such a read
 * every few seconds, because v2 auth must not be outdated.
 */
export class V3MemberProbe implements MemberProbe {
  readonly #api: RemoteV3Api;
  readonly #keys: readonly string[];

  /** @param keys keys that the user of the gateway must be able to read; they need not exist */
  constructor(api: RemoteV3Api, keys: readonly string[]) {
    this.#api = api;
    this.#keys = keys;
  }

  endpoints(signal: AbortSignal): Promise<readonly string[]> {
    return this.#api.cluster.endpoints(REQUEST, signal);
  }

  async readFrom(endpoint: string, signal: AbortSignal): Promise<number> {
    const reads = this.#keys.map((key) => read(key, { keys_only: true }));
    const call = { operation: OPERATION, key: "/", safety: "read", scope: "quorum" } as const;
    const limits = { ...call, endpoint, signal };
    return (await this.#api.call(RPC.txn, firstOf([], reads), limits)).header.raft_term;
  }
}
