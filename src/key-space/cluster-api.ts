import type {
  EndpointHealth,
  LeaderStats,
  Member,
  SelfStats,
  StoreStats,
  Version,
} from "../model/cluster.js";
import type { AuthApi } from "./auth-api.js";
import type { CallOptions } from "./key-space.js";

/** What can be asked of the servers behind a key space, besides keys. */
export interface ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  /** v2 auth, where there is such a thing. */
  readonly auth?: AuthApi;

  /** Client URLs of all members, sorted. */
  machines(options?: CallOptions): Promise<readonly string[]>;

  /** Release of the member that answers, and of the cluster. */
  version(options?: CallOptions): Promise<Version>;

  /** Health of every known endpoint. Never throws because one is ill. */
  health(options?: CallOptions): Promise<readonly EndpointHealth[]>;

  /** Whether any endpoint is healthy; known as soon as one says so. Never throws because one is ill. */
  isHealthy(): Promise<boolean>;
}

/** The cluster's membership. Changes need user `root` where auth is on. */
export interface MembersApi {
  list(options?: CallOptions): Promise<readonly Member[]>;

  /** @throws AdminError or ClusterUnavailableError during an election */
  leader(options?: CallOptions): Promise<Member>;

  /**
   * Adds a member that is yet to be started. A second member of a cluster of one takes the quorum
   * away until it has started.
   *
   * @throws AdminError 409 when a URL is taken
   * @throws OutcomeUnknownError caused by AdminError 500 when the cluster is not healthy enough:
   *   etcd answers so for time-outs as well
   */
  add(peerURLs: readonly string[], options?: CallOptions): Promise<Member>;

  /** Changes a member's peer URLs. @throws AdminError 404, 409 */
  update(id: string, peerURLs: readonly string[], options?: CallOptions): Promise<void>;

  /** Removes a member, for ever. @throws AdminError 404, and 410 the second time */
  remove(id: string, options?: CallOptions): Promise<void>;
}

/** Counters of the member that answers. */
export interface StatsApi {
  self(options?: CallOptions): Promise<SelfStats>;
  store(options?: CallOptions): Promise<StoreStats>;

  /** Asks member after member until the leader answers, as followers refuse. */
  leader(options?: CallOptions): Promise<LeaderStats>;
}
