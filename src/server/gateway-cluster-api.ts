import type { AuthApi } from "../key-space/auth-api.js";
import type { ClusterApi, MembersApi, StatsApi } from "../key-space/cluster-api.js";
import type { CallOptions } from "../key-space/key-space.js";
import type { EndpointHealth, Member, Version } from "../model/cluster.js";

/** What a gateway tells of itself. */
interface GatewayIdentity {
  /** What stands before every key of its tree in v3. */
  readonly keyPrefix: string;
  /** URLs of gateways, for clients that go on with the URLs that they are told. Absent: the members'. */
  readonly urls: readonly string[] | undefined;
}

/** What a gateway tells of its cluster. `/version` also says that it is a gateway. */
export class GatewayClusterApi implements ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  readonly auth?: AuthApi;
  readonly #inner: ClusterApi;
  readonly #urls: readonly string[] | undefined;
  readonly #keyPrefix: string;

  constructor(inner: ClusterApi, { keyPrefix, urls }: GatewayIdentity) {
    this.#inner = inner;
    this.#keyPrefix = keyPrefix;
    this.#urls = urls && [...urls].sort();
    this.stats = inner.stats;
    if (inner.auth !== undefined) this.auth = inner.auth;
    this.members =
      this.#urls === undefined ? inner.members : advertisedMembers(inner.members, this.#urls);
  }

  async machines(options?: CallOptions): Promise<readonly string[]> {
    return this.#urls ?? (await this.#inner.machines(options));
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

/** Every member is reached by every gateway. One that has not started yet has no URLs. */
function advertisedMembers(members: MembersApi, urls: readonly string[]): MembersApi {
  const shown = (member: Member): Member =>
    member.clientURLs.length === 0 ? member : { ...member, clientURLs: urls };
  return {
    list: async (options) => (await members.list(options)).map(shown),
    leader: async (options) => shown(await members.leader(options)),
    add: async (peerURLs, options) => shown(await members.add(peerURLs, options)),
    update: (id, peerURLs, options) => members.update(id, peerURLs, options),
    remove: (id, options) => members.remove(id, options),
  };
}
