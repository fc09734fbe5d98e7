import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";
import type { ClusterSettings } from "./cluster-settings.js";
import type { Endpoint } from "./endpoint.js";
import type { EndpointList } from "./endpoint-list.js";
import { discoverSrv } from "./srv.js";
import type { TopologyProbes } from "./topology-probes.js";
import type { Transport } from "./transport.js";

/** Intervals of the leader search, while the leader is known and while it is not. */
const LEADER_KNOWN_INTERVAL_MS = 30_000;
const LEADER_UNKNOWN_INTERVAL_MS = 1_000;

/** Minimum time between two lookups of SRV records while no endpoint responds. */
const DISCOVERY_INTERVAL_MS = 1_000;

/** Maximum number of advertised URLs. Clusters have fewer; a broken member must not cause more requests. */
const MAX_ADVERTISED_URLS = 32;

/** Time within which all members know a new token. */
const TOKEN_PROPAGATION_MS = 50;

/**
 * Keeps the endpoint list current and pins the preferred endpoint. It has no timer: each call
 * starts the tasks that are due. Calls wait only for discovery and for the first leader search.
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
  #leaderSearchedAt = Number.POSITIVE_INFINITY;
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
   * Called before every request. Returns a promise if the request has to wait.
   *
   * @throws ClusterUnavailableError when discovery finds no endpoints
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
    if (now >= this.#leaderSearchedAt + this.#leaderInterval) void this.#findLeader(now);
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

  /**
   * Shorter after the pin has left the leader: the leader has failed, so a new one is expected
   * soon.
   */
  get #leaderInterval(): number {
    const known = this.#leaderConfirmed && this.#endpoints.pinned === this.#leader;
    return known ? LEADER_KNOWN_INTERVAL_MS : LEADER_UNKNOWN_INTERVAL_MS;
  }

  /** Pins the endpoint that reports itself as the leader. */
  async #findLeader(now: number): Promise<void> {
    this.#leaderSearchedAt = now;
    const probes = this.#endpoints.inOrder().map(async (endpoint) => {
      if (await this.#isLeader(endpoint)) return endpoint;
      throw new Error("the endpoint is not the leader");
    });
    try {
      const leader = await Promise.any(probes);
      this.#endpoints.pin(leader);
      this.#leaderConfirmed = leader === this.#leader;
      this.#leader = leader;
    } catch {
      this.#leader = undefined;
    }
  }

  /**
   * Whether an endpoint reports itself as the leader. Retries once after an error response: a new
   * token does not reach all members at the same time.
   */
  async #isLeader(endpoint: Endpoint): Promise<boolean> {
    const { leader } = this.#probes;
    const response = await this.#query(endpoint.url, leader);
    try {
      return this.#probes.isLeader(response);
    } catch {
      await sleep(TOKEN_PROPAGATION_MS, this.#clock, undefined);
      return this.#probes.isLeader(await this.#query(endpoint.url, leader));
    }
  }

  /** Uses the client URLs from the first successful response. */
  async #sync(now: number): Promise<void> {
    this.#syncDue = now + this.#settings.autoSync;
    for (const endpoint of this.#endpoints.inOrder()) {
      try {
        const response = await this.#query(endpoint.url, this.#probes.members);
        const advertised = this.#originsOf(this.#probes.clientUrls(response));
        const urls = await this.#urlsOfCluster(this.#probes.clusterId(response), advertised);
        if (urls.length > 0) this.#endpoints.sync(urls);
        return;
      } catch {
        // Try the next endpoint. If all fail, the list stays unchanged.
      }
    }
  }

  /** Returns advertised URLs as origins, without `http` URLs if the client was configured with TLS. */
  #originsOf(urls: readonly string[]): readonly string[] {
    const onlyTls = this.#endpoints.urls.some((url) => url.startsWith("https:"));
    const origins = urls
      .filter((url) => URL.canParse(url) && (onlyTls ? /^https:/ : /^https?:/).test(url))
      .map((url) => new URL(url).origin);
    return [...new Set(origins)].slice(0, MAX_ADVERTISED_URLS);
  }

  /**
   * Keeps the URLs in use and those that lead to the same cluster. An advertised address can lead
   * to another cluster, for example a loopback address that is valid only on the member's machine.
   */
  async #urlsOfCluster(
    clusterId: string | undefined,
    urls: readonly string[],
  ): Promise<readonly string[]> {
    const inUse = this.#endpoints.urls;
    const belongs = await Promise.all(
      urls.map(async (url) => {
        if (inUse.includes(url)) return true;
        try {
          const response = await this.#query(url, this.#probes.members);
          if (this.#probes.clusterId(response) === clusterId) return true;
        } catch {
          // Retried at the next synchronization.
        }
        this.#transport.forget(url);
        return false;
      }),
    );
    return urls.filter((_url, position) => belongs[position]);
  }

  /** Looks up the SRV records again, after all endpoints have failed. */
  async #rediscover(now: number): Promise<void> {
    this.#discoveryDue = now + DISCOVERY_INTERVAL_MS;
    try {
      await this.#discover();
    } catch {
      // Keep the old endpoints: they may recover before the DNS server does.
    }
  }

  async #query(url: string, request: HttpRequest): Promise<HttpResponse> {
    const timeout = this.#settings.requestTimeout;
    const authorization = await this.#probes.authorization?.();
    return await this.#transport.sendToOne(url, { ...request, authorization }, { timeout });
  }
}
