import type { StoreNode } from "./store-node.js";

interface Entry {
  readonly node: StoreNode;
  readonly expiration: number;
  /**
   * Increases with every entry: of two nodes that expire in the same millisecond the older entry
   * comes first.
   */
  readonly number: number;
}

/**
 * Nodes with a TTL, earliest first: a binary heap. A node whose TTL changes is added again. Its
 * older entries have another time and are skipped.
 */
export class ExpiryQueue {
  readonly #heap: Entry[] = [];
  #entries = 0;
  /** Whether the node is still part of the tree. */
  readonly #isAlive: (node: StoreNode) => boolean;

  constructor(isAlive: (node: StoreNode) => boolean) {
    this.#isAlive = isAlive;
  }

  add(node: StoreNode): void {
    const { expiration } = node;
    if (expiration === undefined) return;
    this.#heap.push({ node, expiration, number: ++this.#entries });
    this.#rise(this.#heap.length - 1);
  }

  /** Whether any node may have a TTL. */
  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  /** Removes and returns the node that expired first, if any. */
  takeExpired(now: number): StoreNode | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      const current = this.#isAlive(first.node) && first.node.expiration === first.expiration;
      if (current && first.expiration > now) return undefined;
      this.#removeFirst();
      if (current) return first.node;
    }
    return undefined;
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(start: number): void {
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfSooner(index, parent)) return;
      index = parent;
    }
  }

  #sink(start: number): void {
    for (let index = start; ; ) {
      const left = 2 * index + 1;
      const least = this.#isSooner(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfSooner(least, index)) return;
      index = least;
    }
  }

  #swapIfSooner(lower: number, upper: number): boolean {
    const [below, above] = [this.#heap[lower], this.#heap[upper]];
    if (below === undefined || above === undefined) return false;
    if (!this.#isSooner(lower, upper)) return false;
    this.#heap[lower] = above;
    this.#heap[upper] = below;
    return true;
  }

  #isSooner(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return false;
    if (first.expiration !== second.expiration) return first.expiration < second.expiration;
    return first.number < second.number;
  }
}
