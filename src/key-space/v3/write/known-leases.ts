/** So many nodes are remembered; then the one that was learnt first is forgotten. */
const CAPACITY = 10_000;

/**
 * Nodes that exist and the leases that they hang on, as last seen by this process. A write that
 * relies on it compares it, so that what is outdated costs a request and no more.
 */
export class KnownLeases {
  readonly #leases = new Map<string, string>();

  of(path: string): string | undefined {
    return this.#leases.get(path);
  }

  learn(path: string, lease: string): void {
    if (this.#leases.get(path) === lease) return;
    this.#leases.set(path, lease);
    if (this.#leases.size <= CAPACITY) return;
    for (const oldest of this.#leases.keys()) {
      this.#leases.delete(oldest);
      return;
    }
  }

  forget(path: string): void {
    this.#leases.delete(path);
  }

  clear(): void {
    this.#leases.clear();
  }
}
