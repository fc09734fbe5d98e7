/** Maximum number of entries; the oldest one is dropped. */
const MAX_KNOWN_LEASES = 10_000;

/**
 * The leases of existing nodes, as last seen by this process. Writes compare them in their
 * transaction, so an outdated entry only costs a request.
 */
export class KnownLeases {
  readonly #leases = new Map<string, string>();

  of(path: string): string | undefined {
    return this.#leases.get(path);
  }

  set(path: string, lease: string): void {
    if (this.#leases.get(path) === lease) return;
    this.#leases.set(path, lease);
    if (this.#leases.size <= MAX_KNOWN_LEASES) return;
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
