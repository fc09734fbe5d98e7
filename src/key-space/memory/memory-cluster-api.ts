import type { EndpointHealth, Version } from "../../model/cluster.js";
import { type Clock, systemClock } from "../../time/clock.js";
import type { CallOptions } from "../call-options.js";
import type { ClusterApi, MembersApi, StatsApi } from "../cluster-api.js";
import { ENDPOINT, type MemoryKeySpace } from "./memory-key-space.js";
import { MemoryMembers, refuseAborted } from "./memory-members.js";
import { MemoryStats } from "./memory-stats.js";
import { randomId } from "./random-id.js";

/** Options of {@link MemoryClusterApi}. */
export interface MemoryClusterOptions {
  /**
   * Name of the only member.
   *
   * @default "default", as in etcd
   */
  readonly name?: string | undefined;
  /**
   * ID of the only member: hexadecimal, lower-case, not padded.
   *
   * @default a random ID
   */
  readonly id?: string | undefined;
  /**
   * Peer URLs of the member. The server does not listen there.
   *
   * @default none
   */
  readonly peerURLs?: readonly string[] | undefined;
  /**
   * URLs for clients; see {@link MemoryClusterApi.announce}.
   *
   * @default none
   */
  readonly clientURLs?: readonly string[] | undefined;
  /**
   * Response of `/version`. Clients use it to choose the API: some reject unknown versions, and
   * others use v3 from 3.6 on. So it names the release whose v2 API is imitated, not a version of
   * this package.
   *
   * @default `{ etcdserver: "3.4.23", etcdcluster: "3.4.0" }`
   */
  readonly version?: Version | undefined;
  /**
   * Returns why the member is unhealthy although its key space is open; `undefined` while it is
   * healthy.
   *
   * @default always healthy
   */
  readonly problem?: (() => string | undefined) | undefined;
  /**
   * Clock of the statistics.
   *
   * @default the system clock
   */
  readonly clock?: Clock | undefined;
}

const IMITATED_VERSION: Version = { etcdserver: "3.4.23", etcdcluster: "3.4.0" };

/** A one-member cluster in this process. */
export class MemoryClusterApi implements ClusterApi {
  readonly members: MembersApi;
  readonly stats: StatsApi;
  readonly #members: MemoryMembers;
  readonly #keySpace: MemoryKeySpace;
  readonly #version: Version;
  readonly #problem: () => string | undefined;

  constructor(keySpace: MemoryKeySpace, options: MemoryClusterOptions = {}) {
    const { name = "default", id = randomId(), peerURLs = [], clientURLs = [] } = options;
    this.#keySpace = keySpace;
    this.#version = options.version ?? IMITATED_VERSION;
    this.#problem = options.problem ?? (() => undefined);
    this.#members = new MemoryMembers({ id, name, peerURLs, clientURLs });
    this.members = this.#members;
    this.stats = new MemoryStats(keySpace, { id, name }, options.clock ?? systemClock);
  }

  /** Sets the client URLs, which a server knows only once it listens. */
  announce(clientURLs: readonly string[]): void {
    this.#members.announce({ clientURLs });
  }

  async machines(options?: CallOptions): Promise<readonly string[]> {
    const members = await this.members.list(options);
    return members.flatMap(({ clientURLs }) => clientURLs).sort();
  }

  async version({ signal }: CallOptions = {}): Promise<Version> {
    refuseAborted(signal, "none");
    return this.#version;
  }

  /** The member is healthy while its key space is open and `problem` reports nothing. */
  async health({ signal }: CallOptions = {}): Promise<readonly EndpointHealth[]> {
    refuseAborted(signal, "none");
    const [endpoint = ENDPOINT] = this.#members.own.clientURLs;
    const reason = this.#reason;
    return [
      reason === undefined ? { endpoint, healthy: true } : { endpoint, healthy: false, reason },
    ];
  }

  async isHealthy(): Promise<boolean> {
    return this.#reason === undefined;
  }

  /** Why the member is unhealthy. */
  get #reason(): string | undefined {
    return this.#keySpace.closed ? "the key space is closed" : this.#problem();
  }
}
