import type { EndpointHealth, Version } from "../../model/cluster.js";
import { type Clock, systemClock } from "../../time/clock.js";
import type { ClusterApi, MembersApi, StatsApi } from "../cluster-api.js";
import type { CallOptions } from "../key-space.js";
import { ENDPOINT, type MemoryKeySpace } from "./memory-key-space.js";
import { MemoryMembers, refuseAborted } from "./memory-members.js";
import { MemoryStats } from "./memory-stats.js";
import { randomId } from "./random-id.js";

/** Options of {@link MemoryClusterApi}. */
export interface MemoryClusterOptions {
  /**
   * Name of the one member.
   *
   * @default "default", as etcd
   */
  readonly name?: string;
  /**
   * Id of the one member: hexadecimal, lower-case, not padded.
   *
   * @default a random one
   */
  readonly id?: string;
  /**
   * URLs under which other members would reach this one. Nobody listens there.
   *
   * @default none
   */
  readonly peerURLs?: readonly string[];
  /**
   * URLs at which clients reach this member; see {@link MemoryClusterApi.announce}.
   *
   * @default none
   */
  readonly clientURLs?: readonly string[];
  /**
   * What `/version` says. Clients look at it to learn which API they meet: some refuse to work
   * with what they do not know, and others choose v3 where it says 3.6. So it names the release
   * whose v2 API this one behaves like, not a version of this package.
   *
   * @default `{ etcdserver: "3.4.23", etcdcluster: "3.4.0" }`
   */
  readonly version?: Version;
  /**
   * Why the member is not healthy although its key space is open; `undefined` while it is.
   *
   * @default it is healthy
   */
  readonly problem?: () => string | undefined;
  /**
   * What tells the time for the statistics.
   *
   * @default this process's clock
   */
  readonly clock?: Clock;
}

const IMITATED: Version = { etcdserver: "3.4.23", etcdcluster: "3.4.0" };

/** A cluster of one in this process, around its key space. */
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
    this.#version = options.version ?? IMITATED;
    this.#problem = options.problem ?? (() => undefined);
    this.#members = new MemoryMembers({ id, name, peerURLs, clientURLs });
    this.members = this.#members;
    this.stats = new MemoryStats(keySpace, { id, name }, options.clock ?? systemClock);
  }

  /** Tells at which URLs clients reach this member, which a server knows once it listens. */
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

  /** The one member is healthy as long as its key space is open and has no other problem. */
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

  /** Why it is not healthy. */
  get #reason(): string | undefined {
    return this.#keySpace.closed ? "the key space is closed" : this.#problem();
  }
}
