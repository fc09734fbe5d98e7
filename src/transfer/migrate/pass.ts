import type { Comparison } from "../compare/compare-trees.js";

/** `copy`: the first comparison, which copies. `verify`: a comparison of what was copied. */
export type PassKind = "copy" | "verify";

/** One comparison of the complete trees, some directories at a time. */
export class Pass {
  readonly kind: PassKind;
  readonly #comparisons: AsyncGenerator<Comparison, void, undefined>;
  /** Nodes of the source that were compared. */
  compared = 0;
  /** Nodes that differed. */
  different = 0;

  constructor(kind: PassKind, comparisons: AsyncGenerator<Comparison, void, undefined>) {
    this.kind = kind;
    this.#comparisons = comparisons;
  }

  /** The next directories; `undefined` at the end. */
  async next(): Promise<Comparison | undefined> {
    const { done, value } = await this.#comparisons.next();
    return done === true ? undefined : value;
  }

  /** Counts a comparison whose differences were applied. */
  count({ compared }: Comparison, different: number): void {
    this.compared += compared;
    this.different += different;
  }
}
