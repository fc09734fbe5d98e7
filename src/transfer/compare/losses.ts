import { TransferRefusedError } from "../../errors/migration-errors.js";
import type { DataLocation } from "../../key-space/data-location.js";
import type { Comparison, PlacedDifference } from "./compare-trees.js";
import { isStorable, type Loss, lossOf, topmostLoss } from "./loss.js";

/** Number of losses that are remembered, so that each is reported once. */
const MAX_REMEMBERED = 100_000;
/** Maximum number of losses in an error message. */
const MAX_NAMED = 3;

/** Records and reports what the target cannot store unchanged, and decides whether that is allowed. */
export class Losses {
  readonly #lossy: boolean;
  readonly #onLoss: ((loss: Loss) => void) | undefined;
  readonly #known = new Map<string, Loss>();
  #count = 0;

  constructor(lossy: boolean, onLoss: ((loss: Loss) => void) | undefined) {
    this.#lossy = lossy;
    this.#onLoss = onLoss;
  }

  /** Number of nodes that are not copied unchanged. */
  get count(): number {
    return this.#count;
  }

  /** Records the losses of a comparison and returns the other differences. @throws TransferRefusedError */
  differencesWithoutLoss(
    comparison: Comparison,
    target: DataLocation,
  ): readonly PlacedDifference[] {
    const { differences, replaced, unnamed } = comparison;
    for (const key of unnamed.source) this.recordAndCheck(lossOf(key, "unnamed"));
    for (const key of unnamed.target) this.recordAndCheck(lossOf(key, "unremovable"));
    for (const { key } of replaced) this.recordAndCheck(lossOf(key, "replaced"));
    return differences.filter((difference) => {
      if (difference.kind === "extra") return true;
      const { key } = difference.entry;
      const loss = topmostLoss(key, target);
      if (loss !== undefined) this.recordAndCheck(loss);
      return isStorable(key, target) && this.#known.get(key)?.kind !== "too-large";
    });
  }

  /** Records a loss before the first write. */
  record(loss: Loss): void {
    if (this.#known.has(loss.key)) return;
    this.#count++;
    if (this.#known.size < MAX_REMEMBERED) this.#known.set(loss.key, loss);
    this.#onLoss?.(loss);
  }

  /** Records a loss during the copy. @throws TransferRefusedError unless losses are allowed */
  recordAndCheck(loss: Loss): void {
    this.record(loss);
    this.check();
  }

  /** @throws TransferRefusedError when there are losses that are not allowed */
  check(): void {
    if (this.#lossy || this.#count === 0) return;
    const named = [...this.#known.values()].slice(0, MAX_NAMED);
    const texts = named.map(({ key, reason }) => `${JSON.stringify(key)} ${reason}`);
    const more = this.#count - named.length;
    throw new TransferRefusedError(
      `not everything can be copied as it is: ${texts.join("; ")}` +
        `${more > 0 ? `; and ${more} more` : ""}`,
      {
        option: "lossy",
        hint: (nameOf) =>
          `with ${nameOf("lossy")}, such keys are left out, and values that are not UTF-8 are written as the source shows them`,
      },
    );
  }
}
