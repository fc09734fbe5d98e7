import { compareCodePoints } from "../../key-space/shared/code-point-order.js";

/**
 * Keys of a directory's children. They are sorted on the first call of `inOrder` and stay sorted,
 * because many directories are never listed.
 */
export class MirrorChildren {
  readonly #keys: string[];
  #inOrder: boolean;

  constructor(keys: string[] = []) {
    this.#keys = keys;
    this.#inOrder = keys.length < 2;
  }

  /** Adds a key. It must not be present. */
  add(key: string): void {
    if (this.#inOrder) this.#keys.splice(this.#positionOf(key), 0, key);
    else this.#keys.push(key);
  }

  /** Removes a key. It must be present. */
  remove(key: string): void {
    this.#keys.splice(this.#inOrder ? this.#positionOf(key) : this.#keys.indexOf(key), 1);
  }

  /** All keys, in the order of their code points. */
  inOrder(): readonly string[] {
    if (!this.#inOrder) this.#keys.sort(compareCodePoints);
    this.#inOrder = true;
    return this.#keys;
  }

  /** The position of the key, or where to insert it. */
  #positionOf(key: string): number {
    let [from, to] = [0, this.#keys.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compareCodePoints(this.#keys[middle] ?? "", key) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
