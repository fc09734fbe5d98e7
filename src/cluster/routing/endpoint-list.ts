import type { Clock } from "../../time/clock.js";
import { Endpoint } from "./endpoint.js";

/** Where a call may go. */
export interface EndpointSource {
  /** The endpoints in the order in which a call should try them. */
  inOrder(): readonly Endpoint[];
  /** Takes note of a good answer. */
  answered(endpoint: Endpoint): void;
}

/**
 * The endpoints of a cluster and the order in which a call tries them: the pinned one, then the
 * others at random, then those of which the last news was a failure, soonest back first.
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

  /** Whether the last news of every endpoint was a failure. */
  get allFail(): boolean {
    return this.#endpoints.every(({ failing }) => failing);
  }

  /** The endpoint that calls stay with. */
  get pinned(): Endpoint | undefined {
    return this.#pinned;
  }

  /** Sets the endpoints that are never given up. */
  seed(urls: readonly string[]): void {
    this.#seeds = urls.map((url) => this.#find(url));
    this.#replace(shuffled(this.#seeds));
  }

  /**
   * Takes over the URLs that the cluster advertises. The seeds stay, so that a wrong answer cannot
   * cut the client off.
   */
  sync(urls: readonly string[]): void {
    this.#replace([...new Set([...urls.map((url) => this.#find(url)), ...this.#seeds])]);
  }

  /** The endpoints in the order in which a call should try them. */
  inOrder(): readonly Endpoint[] {
    const [only, another] = this.#endpoints;
    if (only === undefined || another === undefined) return this.#endpoints;
    const pinned = this.#pinned ?? only;
    const others = shuffled(this.#endpoints.filter((endpoint) => endpoint !== pinned));
    return [pinned, ...others].sort(
      (a, b) => Number(a.failing) - Number(b.failing) || a.asideUntil - b.asideUntil,
    );
  }

  /** One endpoint alone, for what only it can answer. It shares its health with this list. */
  only(url: string): EndpointSource {
    const endpoint = this.#find(url);
    return { inOrder: () => [endpoint], answered: () => endpoint.succeeded() };
  }

  /** Takes note of a good answer; the pin leaves an endpoint that failed for one that works. */
  answered(endpoint: Endpoint): void {
    endpoint.succeeded();
    if (this.#pinned === undefined || this.#pinned.failing) this.#pinned = endpoint;
  }

  /** Prefers an endpoint, which has just answered, from now on. */
  pin(endpoint: Endpoint): void {
    endpoint.succeeded();
    this.#pinned = endpoint;
  }

  #replace(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    const keepsPin = this.#pinned !== undefined && endpoints.includes(this.#pinned);
    if (!keepsPin) this.#pinned = endpoints[0];
  }

  #find(url: string): Endpoint {
    const known = this.#endpoints.find((endpoint) => endpoint.url === url);
    return known ?? new Endpoint(url, this.#clock);
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
