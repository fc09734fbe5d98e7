import type { AuthApi } from "../key-space/auth-api.js";
import type { ClusterApi, MembersApi, StatsApi } from "../key-space/cluster-api.js";
import type { CallOptions } from "../key-space/key-space.js";
import type { EndpointHealth, Member, Version } from "../model/cluster.js";

/**
 * A cluster that tells its clients other URLs than its members': those of gateways, for clients
 * that go on with what they are told.
 */
export class AdvertisedClusterApi implements ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  readonly auth?: AuthApi;
  readonly #inner: ClusterApi;
  readonly #urls: readonly string[];

  constructor(inner: ClusterApi, urls: readonly string[]) {
    this.#inner = inner;
    this.#urls = [...urls].sort();
    this.stats = inner.stats;
    if (inner.auth !== undefined) this.auth = inner.auth;
    this.members = advertisedMembers(inner.members, this.#urls);
  }

  async machines(): Promise<readonly string[]> {
    return this.#urls;
  }

  version(options?: CallOptions): Promise<Version> {
    return this.#inner.version(options);
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
