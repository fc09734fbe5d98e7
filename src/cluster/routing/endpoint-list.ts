import type { Clock } from "../../time/clock.js";
import { Endpoint } from "./endpoint.js";

/** The endpoints that a call may use. */
export interface EndpointSource {
  /** The endpoints in the order in which a call should try them. */
  inOrder(): readonly Endpoint[];
  /** Records a response from an endpoint. */
  onResponse(endpoint: Endpoint): void;
}

/**
 * The endpoints of a cluster. A call tries the pinned endpoint first, then the others in random
 * order, then those whose last request failed, the one available soonest first.
 */
export class EndpointList implements EndpointSource {
  readonly #clock: Clock;
  #seeds: readonly Endpoint[] = [];
  #endpoints: readonly Endpoint[] = [];
  #pinned: Endpoint | undefined;

  constructor(urls: readonly string[], clock: Clock) {
    this.#clock = clock;
    this.seed(urls);
  }

  get urls(): readonly string[] {
    return this.#endpoints.map(({ url }) => url);
  }

  /** Whether the last request to every endpoint failed. */
  get allFail(): boolean {
    return this.#endpoints.every(({ failing }) => failing);
  }

  /** The endpoint that calls try first. */
  get pinned(): Endpoint | undefined {
    return this.#pinned;
  }

  /** Sets the endpoints that are always kept. */
  seed(urls: readonly string[]): void {
    this.#seeds = urls.map((url) => this.#findOrCreate(url));
    this.#replace(shuffled(this.#seeds));
  }

  /**
   * Uses the URLs that the cluster advertises. Keeps the seeds, so that a wrong member list cannot
   * disconnect the client.
   */
  sync(urls: readonly string[]): void {
    this.#replace([...new Set([...urls.map((url) => this.#findOrCreate(url)), ...this.#seeds])]);
  }

  /** The endpoints in the order in which a call should try them. */
  inOrder(): readonly Endpoint[] {
    const [only, another] = this.#endpoints;
    if (only === undefined || another === undefined) return this.#endpoints;
    const pinned = this.#pinned ?? only;
    const others = shuffled(this.#endpoints.filter((endpoint) => endpoint !== pinned));
    return [pinned, ...others].sort(
      (a, b) => Number(a.failing) - Number(b.failing) || a.avoidUntil - b.avoidUntil,
    );
  }

  /** Only one endpoint, for requests to a particular member. Shares its health with this list. */
  only(url: string): EndpointSource {
    const endpoint = this.#findOrCreate(url);
    return { inOrder: () => [endpoint], onResponse: () => endpoint.succeeded() };
  }

  /** Records a response. Moves the pin from a failed endpoint to this one. */
  onResponse(endpoint: Endpoint): void {
    endpoint.succeeded();
    if (this.#pinned === undefined || this.#pinned.failing) this.#pinned = endpoint;
  }

  /** Pins an endpoint that has just responded. */
  pin(endpoint: Endpoint): void {
    endpoint.succeeded();
    this.#pinned = endpoint;
  }

  #replace(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    const keepsPin = this.#pinned !== undefined && endpoints.includes(this.#pinned);
    if (!keepsPin) this.#pinned = endpoints[0];
  }

  #findOrCreate(url: string): Endpoint {
    const existing = this.#endpoints.find((endpoint) => endpoint.url === url);
    return existing ?? new Endpoint(url, this.#clock);
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
