import { TransferFailedError } from "../../errors/migration-errors.js";
import type { PlacedDifference } from "../compare/compare-trees.js";
import { keyOf } from "../compare/difference.js";

/** Comparisons in which a node may differ although the source has not changed it meanwhile. */
const MAX_ROUNDS = 20;
/** Comparisons in which a node may differ because the source changes it all the time. */
const MAX_CHANGES = 100;
/** Seconds of a TTL that may end on one side before the other. */
const SHORT_TTL = 5;
/** Nodes that an error names. */
const MAX_NAMED = 5;

interface Doubt {
  /** `modifiedIndex` in the source. */
  readonly index: number | undefined;
  /** Comparisons in a row that showed the node of that index different in the target. */
  readonly rounds: number;
  readonly changes: number;
}

/** Nodes that were written, and not yet seen to be the same in the target. */
export class Doubts {
  readonly #doubts = new Map<string, Doubt>();
  /** Nodes that the source changed at each look: the watch on the source brings them over. */
  changing = 0;

  get size(): number {
    return this.#doubts.size;
  }

  get keys(): readonly string[] {
    return [...this.#doubts.keys()];
  }

  /** A TTL may differ, and a node may end a moment earlier on one side. */
  note(differences: readonly PlacedDifference[]): void {
    for (const difference of differences) {
      if (isPassing(difference)) continue;
      this.#doubts.set(keyOf(difference), { index: indexOf(difference), rounds: 0, changes: 0 });
    }
  }

  /**
   * Takes the outcome of another look at a node: what still differs, if it does.
   *
   * @throws TransferFailedError when the target does not keep what is written
   */
  look(key: string, difference: PlacedDifference | undefined): void {
    const doubt = this.#doubts.get(key);
    if (doubt === undefined) return;
    if (difference === undefined || isPassing(difference)) {
      this.#doubts.delete(key);
      return;
    }
    const index = indexOf(difference);
    const isChanged = index !== doubt.index;
    const rounds = isChanged ? 0 : doubt.rounds + 1;
    const changes = doubt.changes + (isChanged ? 1 : 0);
    this.#doubts.set(key, { index, rounds, changes });
    if (rounds > MAX_ROUNDS) throw this.#failure();
    if (changes > MAX_CHANGES) {
      this.#doubts.delete(key);
      this.changing++;
    }
  }

  #failure(): TransferFailedError {
    const named = this.keys.slice(0, MAX_NAMED).map((key) => JSON.stringify(key));
    const more = this.size - named.length;
    return new TransferFailedError(
      `the target does not keep what is written: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""} ` +
        "differ from the source. Find out who else writes to the target, and call again",
    );
  }
}

function indexOf(difference: PlacedDifference): number | undefined {
  return difference.kind === "extra" ? undefined : difference.entry.modifiedIndex;
}

function isPassing(difference: PlacedDifference): boolean {
  switch (difference.kind) {
    case "ttl":
      return difference.entry.ttl !== undefined && difference.found.ttl !== undefined;
    case "missing":
      return isShort(difference.entry.ttl);
    case "extra":
      return isShort(difference.found.ttl);
    default:
      return false;
  }
}

function isShort(ttl: number | undefined): boolean {
  return ttl !== undefined && ttl <= SHORT_TTL;
}
