import { TransferRefusedError } from "../../errors/migration-errors.js";
import type { DataLocation } from "../../key-space/data-location.js";
import type { Comparison, PlacedDifference } from "./compare-trees.js";
import { isHoldable, type Loss, lossOf, topmostLoss } from "./loss.js";

/** Losses that are remembered, so that each is told once. */
const MAX_REMEMBERED = 100_000;
/** Losses that an error names. */
const MAX_NAMED = 3;

/** Decides what of the source is not brought to the target as it is, and tells of it. */
export class Losses {
  readonly #lossy: boolean;
  readonly #onLoss: ((loss: Loss) => void) | undefined;
  readonly #known = new Map<string, Loss>();
  #count = 0;

  constructor(lossy: boolean, onLoss: ((loss: Loss) => void) | undefined) {
    this.#lossy = lossy;
    this.#onLoss = onLoss;
  }

  /** Nodes that were not, or will not be, brought over as they are. */
  get count(): number {
    return this.#count;
  }

  /** The differences of a comparison that can be made good. @throws TransferRefusedError */
  without(comparison: Comparison, target: DataLocation): readonly PlacedDifference[] {
    const { differences, replaced, unnamed } = comparison;
    for (const key of unnamed.source) this.meet(lossOf(key, "unnamed"));
    for (const key of unnamed.target) this.meet(lossOf(key, "unremovable"));
    for (const { key } of replaced) this.meet(lossOf(key, "replaced"));
    return differences.filter((difference) => {
      if (difference.kind === "extra") return true;
      const { key } = difference.entry;
      const loss = topmostLoss(key, target);
      if (loss !== undefined) this.meet(loss);
      return isHoldable(key, target) && this.#known.get(key)?.kind !== "too-large";
    });
  }

  /** Notes what was found before anything is written. */
  find(loss: Loss): void {
    if (this.#known.has(loss.key)) return;
    this.#count++;
    if (this.#known.size < MAX_REMEMBERED) this.#known.set(loss.key, loss);
    this.#onLoss?.(loss);
  }

  /** Notes what is found while the copy is made. @throws TransferRefusedError unless losses are allowed */
  meet(loss: Loss): void {
    this.find(loss);
    this.refuse();
  }

  /** @throws TransferRefusedError when there are losses that are not allowed */
  refuse(): void {
    if (this.#lossy || this.#count === 0) return;
    const named = [...this.#known.values()].slice(0, MAX_NAMED);
    const texts = named.map(({ key, reason }) => `${JSON.stringify(key)} ${reason}`);
    const more = this.#count - named.length;
    throw new TransferRefusedError(
      `not everything can be copied as it is: ${texts.join("; ")}` +
        `${more > 0 ? `; and ${more} more` : ""}. With lossy, such keys are left out, and values that ` +
        "are not UTF-8 are written as the source shows them",
    );
  }
}
