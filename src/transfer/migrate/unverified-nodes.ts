import { TransferFailedError } from "../../errors/migration-errors.js";
import type { PlacedDifference } from "../compare/compare-trees.js";
import { keyOfDifference } from "../compare/difference.js";

/** Maximum number of comparisons in a row in which a node differs although the source has not changed it. */
const MAX_UNCHANGED_ROUNDS = 20;
/** Maximum number of comparisons in which a node differs because the source changes it repeatedly. */
const MAX_CHANGES = 100;
/** TTL up to which a node may expire in one tree earlier than in the other. */
const SHORT_TTL_S = 5;
/** Maximum number of keys in an error message. */
const MAX_NAMED_KEYS = 5;

interface UnverifiedNode {
  /** `modifiedIndex` in the source. */
  readonly index: number | undefined;
  /** Comparisons in a row that found the node with this index different in the target. */
  readonly unchangedRounds: number;
  readonly changes: number;
}

/** Nodes that were written, and that no comparison has found equal since. */
export class UnverifiedNodes {
  readonly #nodes = new Map<string, UnverifiedNode>();
  /** Nodes that the source changed before each comparison. The watch on the source copies them. */
  changing = 0;

  get size(): number {
    return this.#nodes.size;
  }

  get keys(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** Adds differing nodes. TTLs may differ slightly, and a node may expire a moment earlier in one tree. */
  add(differences: readonly PlacedDifference[]): void {
    for (const difference of differences) {
      if (isTolerated(difference)) continue;
      this.#nodes.set(keyOfDifference(difference), {
        index: indexOf(difference),
        unchangedRounds: 0,
        changes: 0,
      });
    }
  }

  /**
   * Updates a node with the difference that another comparison has found, if any.
   *
   * @throws TransferFailedError when the target does not keep the written values
   */
  update(key: string, difference: PlacedDifference | undefined): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    if (difference === undefined || isTolerated(difference)) {
      this.#nodes.delete(key);
      return;
    }
    const index = indexOf(difference);
    const isChanged = index !== node.index;
    const unchangedRounds = isChanged ? 0 : node.unchangedRounds + 1;
    const changes = node.changes + (isChanged ? 1 : 0);
    this.#nodes.set(key, { index, unchangedRounds, changes });
    if (unchangedRounds > MAX_UNCHANGED_ROUNDS) throw this.#failure();
    if (changes > MAX_CHANGES) {
      this.#nodes.delete(key);
      this.changing++;
    }
  }

  #failure(): TransferFailedError {
    const named = this.keys.slice(0, MAX_NAMED_KEYS).map((key) => JSON.stringify(key));
    const more = this.size - named.length;
    return new TransferFailedError(
      `the target does not keep the written values: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""} ` +
        "differ from the source. Stop other writers on the target, and migrate again",
    );
  }
}

function indexOf(difference: PlacedDifference): number | undefined {
  return difference.kind === "extra" ? undefined : difference.entry.modifiedIndex;
}

function isTolerated(difference: PlacedDifference): boolean {
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
  return ttl !== undefined && ttl <= SHORT_TTL_S;
}
