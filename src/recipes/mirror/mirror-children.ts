import { compareCodePoints } from "../../key-space/shared/code-point-order.js";

/**
 * Keys of a directory's children. They are put in order when somebody first asks for that, and kept
 * in order from then on: many directories are never listed.
 */
export class MirrorChildren {
  readonly #keys: string[];
  #inOrder: boolean;

  constructor(keys: string[] = []) {
    this.#keys = keys;
    this.#inOrder = keys.length < 2;
  }

  /** Adds a key that is not among them. */
  add(key: string): void {
    if (this.#inOrder) this.#keys.splice(this.#placeOf(key), 0, key);
    else this.#keys.push(key);
  }

  /** Takes out a key that is among them. */
  remove(key: string): void {
    this.#keys.splice(this.#inOrder ? this.#placeOf(key) : this.#keys.indexOf(key), 1);
  }

  /** All keys, in the order of their code points. */
  inOrder(): readonly string[] {
    if (!this.#inOrder) this.#keys.sort(compareCodePoints);
    this.#inOrder = true;
    return this.#keys;
  }

  /** Where the key is, or where it belongs. */
  #placeOf(key: string): number {
    let [from, to] = [0, this.#keys.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compareCodePoints(this.#keys[middle] ?? "", key) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
