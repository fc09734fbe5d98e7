import type { EtcdResponse } from "../model/response.js";

/**
 * How far a watch has come, as a resume point that is never too far: an event proves nothing of its
 * own index, of which there may be more, until a poll ends after it or a later one comes.
 */
export class Position {
  #since: number | undefined;
  #quietUntil = 0;
  /** Keys of the events at index `since` that were seen. */
  readonly #seen = new Set<string>();

  /** Index of which events may still be owed, with all that follow; `undefined`: from now. */
  get since(): number | undefined {
    return this.#since;
  }

  /** Index up to which everything was seen, or is taken for quiet. */
  get index(): number {
    const since = this.#since ?? 1;
    return Math.max(this.#seen.size > 0 ? since : since - 1, this.#quietUntil);
  }

  /** Begins anew: events from an index on are owed. */
  startAt(since: number): void {
    this.#since = since;
    this.#quietUntil = 0;
    this.#seen.clear();
  }

  /** Begins at an index if nothing was owed until now. */
  startAtFirst(since: number): void {
    if (this.#since === undefined) this.startAt(since);
  }

  /** Whether anything up to an index may still be owed. */
  owes(index: number): boolean {
    return this.#since !== undefined && this.#since <= index;
  }

  /** Takes note of an event. @returns whether it is a new one */
  take({ node: { key, modifiedIndex } }: Pick<EtcdResponse, "node">): boolean {
    const since = this.#since ?? 0;
    if (modifiedIndex < since || (modifiedIndex === since && this.#seen.has(key))) return false;
    if (modifiedIndex > since) this.startAt(modifiedIndex);
    this.#seen.add(key);
    return true;
  }

  /** Everything at the index of the last event was seen. */
  completeIndex(): void {
    if (this.#since !== undefined && this.#seen.size > 0) this.startAt(this.#since + 1);
  }

  /**
   * Up to `index` nothing came where it should have. That is believed only when history cannot say
   * better any more: until then an event that comes late is still taken.
   */
  quietUntil(index: number): void {
    this.#quietUntil = Math.max(this.#quietUntil, index);
  }

  /** What comes only after the quiet at its index shows that events were held up, even if it was seen. */
  disproveQuiet({ node }: Pick<EtcdResponse, "node">): void {
    if (node.modifiedIndex <= this.#quietUntil) this.#quietUntil = 0;
  }

  /** Believes the quiet. @returns whether that leads any further */
  skipQuiet(): boolean {
    if (this.#quietUntil < (this.#since ?? 0)) return false;
    this.startAt(this.#quietUntil + 1);
    return true;
  }
}
