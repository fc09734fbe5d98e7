import type {
  EndpointHealth,
  LeaderStats,
  Member,
  SelfStats,
  StoreStats,
  Version,
} from "../model/cluster.js";
import type { AuthApi } from "./auth-api.js";
import type { CallOptions } from "./call-options.js";

/** Information about and administration of the servers behind a key space. */
export interface ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  /** v2 auth, if the key space has it. */
  readonly auth?: AuthApi | undefined;

  /** Client URLs of all members, sorted. */
  machines(options?: CallOptions): Promise<readonly string[]>;

  /** Release of the responding member, and of the cluster. */
  version(options?: CallOptions): Promise<Version>;

  /** Health of every known endpoint. An unhealthy endpoint is no error. */
  health(options?: CallOptions): Promise<readonly EndpointHealth[]>;

  /**
   * Whether any endpoint is healthy; resolves with the first healthy one. An unhealthy endpoint is
   * no error.
   */
  isHealthy(): Promise<boolean>;
}

/** The members of the cluster. Changes need user `root` while auth is enabled. */
export interface MembersApi {
  list(options?: CallOptions): Promise<readonly Member[]>;

  /** @throws AdminError or ClusterUnavailableError during an election */
  leader(options?: CallOptions): Promise<Member>;

  /**
   * Adds a member that is not started yet. A second member of a one-member cluster takes the quorum
   * away until it has started.
   *
   * @throws AdminError 409 when a URL is in use
   * @throws OutcomeUnknownError caused by AdminError 500 when the cluster is not healthy enough:
   *   etcd responds with 500 to timeouts too
   */
  add(peerURLs: readonly string[], options?: CallOptions): Promise<Member>;

  /** Changes a member's peer URLs. @throws AdminError 404, 409 */
  update(id: string, peerURLs: readonly string[], options?: CallOptions): Promise<void>;

  /** Removes a member permanently. @throws AdminError 404, and 410 the second time */
  remove(id: string, options?: CallOptions): Promise<void>;
}

/** Counters of the responding member. */
export interface StatsApi {
  self(options?: CallOptions): Promise<SelfStats>;
  store(options?: CallOptions): Promise<StoreStats>;

  /** Queries members until the leader responds, because followers refuse. */
  leader(options?: CallOptions): Promise<LeaderStats>;
}
