import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import type { HttpReply, HttpRequest } from "../../wire/http.js";
import type { ClusterSettings } from "./cluster-settings.js";
import type { Endpoint } from "./endpoint.js";
import type { EndpointList } from "./endpoint-list.js";
import { discoverSrv } from "./srv.js";
import type { TopologyProbes } from "./topology-probes.js";
import type { Transport } from "./transport.js";

/** Milliseconds between two looks for the leader, while it is known and while it is not. */
const LEADER_KNOWN_INTERVAL = 30_000;
const LEADER_UNKNOWN_INTERVAL = 1_000;

/** Least time between two look-ups of SRV records while no endpoint answers. */
const DISCOVERY_INTERVAL_MS = 1_000;

/** Milliseconds. */
const TOKEN_SPREADS_IN = 50;

/**
 * Knows which endpoints there are and which to prefer. It needs no timer of its own: what is due is
 * started by the next call. A call waits for discovery and for the first look for the leader only.
 */
export class Topology {
  readonly #settings: ClusterSettings;
  readonly #clock: Clock;
  readonly #endpoints: EndpointList;
  readonly #transport: Transport;
  readonly #probes: TopologyProbes;
  #discovery: Promise<void> | undefined;
  #preparation: Promise<void> | undefined;
  #prepared = false;
  #leader: Endpoint | undefined;
  #leaderConfirmed = false;
  #leaderAsked = Number.POSITIVE_INFINITY;
  #syncDue = Number.POSITIVE_INFINITY;
  #discoveryDue = 0;

  constructor(
    settings: ClusterSettings,
    endpoints: EndpointList,
    transport: Transport,
    probes: TopologyProbes,
  ) {
    this.#probes = probes;
    this.#settings = settings;
    this.#clock = settings.clock;
    this.#endpoints = endpoints;
    this.#transport = transport;
  }

  /**
   * Called before every request: what that has to wait for, if anything.
   *
   * @throws ClusterUnavailableError when discovery finds nothing
   */
  prepare({ anyMember = false }: HttpRequest): Promise<void> | undefined {
    if (!this.#prepared) {
      this.#preparation ??= this.#begin();
      return anyMember ? this.#discovery : this.#preparation;
    }
    const now = this.#clock.monotonic();
    if (now >= this.#syncDue) void this.#sync(now);
    if (this.#settings.discoverySrv !== undefined && this.#endpoints.allFail) {
      if (now >= this.#discoveryDue) void this.#rediscover(now);
    }
    if (now >= this.#leaderAsked + this.#leaderInterval) void this.#findLeader(now);
    return undefined;
  }

  async #begin(): Promise<void> {
    const { autoSync, endpointSelection } = this.#settings;
    this.#discovery = this.#discover();
    try {
      await this.#discovery;
    } catch (error) {
      this.#preparation = undefined;
      throw error;
    }
    const now = this.#clock.monotonic();
    if (autoSync > 0) void this.#sync(now);
    if (endpointSelection === "leader") await this.#findLeader(now);
    this.#prepared = true;
  }

  async #discover(): Promise<void> {
    const { discoverySrv } = this.#settings;
    if (discoverySrv !== undefined) this.#endpoints.seed(await discoverSrv(discoverySrv));
  }

  /** A leader that the pin has left has failed: its successor is looked for soon. */
  get #leaderInterval(): number {
    const known = this.#leaderConfirmed && this.#endpoints.pinned === this.#leader;
    return known ? LEADER_KNOWN_INTERVAL : LEADER_UNKNOWN_INTERVAL;
  }

  /** Pins the endpoint that says of itself that it is the leader. */
  async #findLeader(now: number): Promise<void> {
    this.#leaderAsked = now;
    const asked = this.#endpoints.inOrder().map(async (endpoint) => {
      if (await this.#isLeader(endpoint)) return endpoint;
      throw new Error("a follower");
    });
    try {
      const leader = await Promise.any(asked);
      this.#endpoints.pin(leader);
      this.#leaderConfirmed = leader === this.#leader;
      this.#leader = leader;
    } catch {
      this.#leader = undefined;
    }
  }

  /**
   * Whether an endpoint says of itself that it is the leader. One that answers with a refusal is
   * asked once more: members learn of a user's token one after the other.
   */
  async #isLeader(endpoint: Endpoint): Promise<boolean> {
    const { leader } = this.#probes;
    const reply = await this.#ask(endpoint.url, leader);
    try {
      return this.#probes.isLeader(reply);
    } catch {
      await sleep(TOKEN_SPREADS_IN, this.#clock, undefined);
      return this.#probes.isLeader(await this.#ask(endpoint.url, leader));
    }
  }

  /** Takes over the client URLs that the first answering member advertises. */
  async #sync(now: number): Promise<void> {
    this.#syncDue = now + this.#settings.autoSync;
    for (const endpoint of this.#endpoints.inOrder()) {
      try {
        const reply = await this.#ask(endpoint.url, this.#probes.members);
        const advertised = this.#acceptable(this.#probes.clientUrls(reply));
        const urls = await this.#belongingTo(this.#probes.clusterId(reply), advertised);
        if (urls.length > 0) this.#endpoints.sync(urls);
        return;
      } catch {
        // The next endpoint may know; if none does, the list stays as it is.
      }
    }
  }

  /** Advertised URLs as origins; none without TLS where the client was given one with it. */
  #acceptable(urls: readonly string[]): readonly string[] {
    const onlyTls = this.#endpoints.urls.some((url) => url.startsWith("https:"));
    return urls
      .filter((url) => URL.canParse(url) && (onlyTls ? /^https:/ : /^https?:/).test(url))
      .map((url) => new URL(url).origin);
  }

  /**
   * Keeps the URLs in use and those at which the same cluster answers. An advertised address can lead
   * to another cluster, for example a loopback address that is right on the member's machine only.
   */
  async #belongingTo(
    clusterId: string | undefined,
    urls: readonly string[],
  ): Promise<readonly string[]> {
    const inUse = this.#endpoints.urls;
    const belongs = await Promise.all(
      urls.map(async (url) => {
        if (inUse.includes(url)) return true;
        try {
          const reply = await this.#ask(url, this.#probes.members);
          return this.#probes.clusterId(reply) === clusterId;
        } catch {
          return false; // Asked again at the next synchronisation.
        }
      }),
    );
    return urls.filter((_url, position) => belongs[position]);
  }

  /** Looks the SRV records up again, since none of the endpoints that they named answers. */
  async #rediscover(now: number): Promise<void> {
    this.#discoveryDue = now + DISCOVERY_INTERVAL_MS;
    try {
      await this.#discover();
    } catch {
      // The old endpoints stay: they may come back before the DNS server does.
    }
  }

  async #ask(url: string, request: HttpRequest): Promise<HttpReply> {
    const timeout = this.#settings.requestTimeout;
    const authorization = await this.#probes.authorization?.();
    return await this.#transport.askOne(url, { ...request, authorization }, { timeout });
  }
}
