import type { Cluster } from "../../cluster/cluster.js";
import type { EndpointHealth, StoreStats, Version } from "../../model/cluster.js";
import { decodeAdminReply, isVersion } from "../../wire/admin-reply.js";
import { adminGet } from "../../wire/admin-request.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import { readHealth } from "../../wire/health.js";
import type { ClusterApi, MembersApi, StatsApi } from "../cluster-api.js";
import type { CallOptions } from "../key-space.js";
import type { V3Api } from "./v3-api.js";
import { V3Members } from "./v3-members.js";
import { V3Stats } from "./v3-stats.js";

/** What a cluster tells besides keys, where it has no v2 API. */
export class V3ClusterApi implements ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  readonly #cluster: Cluster;

  /** @param keySpace counts the requests of this process */
  constructor(cluster: Cluster, api: V3Api, keySpace: { readonly stats: StoreStats }) {
    this.#cluster = cluster;
    this.members = new V3Members(api);
    this.stats = new V3Stats(api, this.members, keySpace);
  }

  async machines(options?: CallOptions): Promise<readonly string[]> {
    const members = await this.members.list(options);
    return members.flatMap(({ clientURLs }) => clientURLs).sort();
  }

  version({ signal }: CallOptions = {}): Promise<Version> {
    const request = adminGet("/version");
    return this.#cluster.send(
      request,
      (reply) => decodeAdminReply(request, reply, isVersion),
      signal,
    );
  }

  health({ signal }: CallOptions = {}): Promise<readonly EndpointHealth[]> {
    return this.#cluster.sendToEach(adminGet("/health"), readHealth, unhealthy, signal);
  }

  isHealthy(): Promise<boolean> {
    return this.#cluster.anyReplies(adminGet("/health"), (reply) => readHealth(reply).healthy);
  }
}

function unhealthy(endpoint: string, error: unknown): EndpointHealth {
  if (!(error instanceof AttemptFailure)) throw error;
  return { endpoint, healthy: false, reason: error.message };
}
