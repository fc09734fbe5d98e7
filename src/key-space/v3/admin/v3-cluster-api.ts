import type { Cluster } from "../../../cluster/cluster.js";
import { ProtocolError } from "../../../errors/cluster-errors.js";
import { UnauthorizedError } from "../../../errors/common-errors.js";
import { RPC } from "../../../etcd3/rpcs.js";
import type { V3Api } from "../../../etcd3/v3-api.js";
import type { EndpointHealth, StoreStats, Version } from "../../../model/cluster.js";
import type { CallOptions } from "../../call-options.js";
import type { ClusterApi, MembersApi, StatsApi } from "../../cluster-api.js";
import { type HealthCheck, healthOfEach, isAnyHealthy } from "../../endpoint-health.js";
import { V3Members } from "./v3-members.js";
import { V3Stats } from "./v3-stats.js";

const STATUS_CALL = { safety: "read", scope: "local" } as const;
/** A linearizable read. The key need not exist. */
const ANY_READ = { key: "health", limit: 1, keys_only: true };

/** Cluster information through the v3 API. */
export class V3ClusterApi implements ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  readonly #cluster: Cluster;
  readonly #api: V3Api;

  /** @param keySpace counts the requests of this process */
  constructor(cluster: Cluster, api: V3Api, keySpace: { readonly stats: StoreStats }) {
    this.#cluster = cluster;
    this.#api = api;
    this.members = new V3Members(api);
    this.stats = new V3Stats(api, this.members, keySpace);
  }

  async machines(options?: CallOptions): Promise<readonly string[]> {
    const members = await this.members.list(options);
    const urls = members.flatMap(({ clientURLs }) => clientURLs);
    if (urls.every((url) => URL.canParse(url))) return urls.sort();
    throw new ProtocolError("GET /v2/machines: a member advertises a client URL that is not valid");
  }

  /** v3 does not return the cluster's version: it is derived from the release of the member. */
  async version({ signal }: CallOptions = {}): Promise<Version> {
    const call = { operation: "GET /version", key: "/", ...STATUS_CALL, signal } as const;
    const { version: etcdserver } = (await this.#api.call(RPC.status, {}, call)).message;
    const [release] = /^\d+\.\d+/.exec(etcdserver) ?? [];
    if (release === undefined)
      throw new ProtocolError(`${call.operation}: the response has no valid version`);
    return { etcdserver, etcdcluster: `${release}.0` };
  }

  health({ signal }: CallOptions = {}): Promise<readonly EndpointHealth[]> {
    return healthOfEach(this.#cluster, this.#checkHealth, signal);
  }

  isHealthy(): Promise<boolean> {
    return isAnyHealthy(this.#cluster, this.#checkHealth);
  }

  /**
   * Checks the same as etcd's `/health`, which a member need not serve at its client URLs: there is
   * a leader, no alarm, and a linearizable read succeeds.
   */
  readonly #checkHealth: HealthCheck = async (endpoint, signal) => {
    const call = { operation: "GET /health", key: "/", endpoint, signal } as const;
    const status = await this.#api.call(RPC.status, {}, { ...call, ...STATUS_CALL });
    const { errors } = status.message;
    if (errors.length > 0) {
      return { endpoint, healthy: false, reason: errors.map((text) => text.trim()).join("; ") };
    }
    try {
      await this.#api.call(RPC.range, ANY_READ, { ...call, safety: "read", scope: "quorum" });
    } catch (error) {
      // etcd checks permissions after the read is confirmed by a quorum.
      if (!(error instanceof UnauthorizedError)) throw error;
    }
    return { endpoint, healthy: true };
  };
}
