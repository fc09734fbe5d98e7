import type { KeyWatch } from "../../key-space/key-space.js";

/** The watches that clients have open, so that they can be ended. */
export class OpenWatches {
  readonly #watches = new Set<Pick<KeyWatch, "close">>();
  #hasEnded = false;

  get count(): number {
    return this.#watches.size;
  }

  /** @returns a function to call when the watch is over */
  add(watch: Pick<KeyWatch, "close">): () => void {
    this.#watches.add(watch);
    // It may have been opened while the others were ended.
    if (this.#hasEnded) watch.close();
    return () => this.#watches.delete(watch);
  }

  /** Ends the matching watches without an error. */
  end(matches: (watch: Pick<KeyWatch, "close">) => boolean): void {
    for (const watch of [...this.#watches].filter(matches)) watch.close();
  }

  /** Ends every watch without an error, also those that are still being opened. */
  endAll(): void {
    this.#hasEnded = true;
    for (const watch of this.#watches) watch.close();
  }
}
