import type { AuthApi } from "../key-space/auth-api.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { ClusterApi, MembersApi, StatsApi } from "../key-space/cluster-api.js";
import type { EndpointHealth, Version } from "../model/cluster.js";

/** Reports on the cluster behind a gateway. `/version` also shows that this is a gateway. */
export class GatewayClusterApi implements ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  readonly auth?: AuthApi;
  readonly #inner: ClusterApi;
  readonly #keyPrefix: string;

  /** @param keyPrefix prefix of every key of the tree in v3 */
  constructor(inner: ClusterApi, keyPrefix: string) {
    this.#inner = inner;
    this.#keyPrefix = keyPrefix;
    this.members = inner.members;
    this.stats = inner.stats;
    if (inner.auth !== undefined) this.auth = inner.auth;
  }

  machines(options?: CallOptions): Promise<readonly string[]> {
    return this.#inner.machines(options);
  }

  async version(options?: CallOptions): Promise<Version> {
    const version = await this.#inner.version(options);
    return { ...version, gateway: { keyPrefix: this.#keyPrefix } };
  }

  health(options?: CallOptions): Promise<readonly EndpointHealth[]> {
    return this.#inner.health(options);
  }

  isHealthy(): Promise<boolean> {
    return this.#inner.isHealthy();
  }
}
