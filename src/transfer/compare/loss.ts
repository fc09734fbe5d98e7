import type { DataLocation } from "../../key-space/data-location.js";
import { parentPath } from "../../key-space/shared/path.js";
import { isReachable, levelsOf, MAX_DEPTH } from "../../key-space/v3/schema/key-schema.js";

/** What of a source cannot be brought to a target as it is. */
export interface Loss {
  /** As the source shows it. */
  readonly key: string;
  /**
   * `unnamed`: the key is not UTF-8, or has no name in v2; several may be shown as one.
   * `unholdable`: the target takes no such key.
   * `unremovable`: the target has a key there that is not UTF-8, and that no request can remove.
   * `too-large`: the target refuses the value for its size.
   * `replaced`: the value holds U+FFFD, which may stand for bytes that are not UTF-8.
   *
   * With `lossy`, a value that is `replaced` is written as it is shown, an `unremovable` key stays,
   * and the others are left out.
   */
  readonly kind: "unnamed" | "unholdable" | "unremovable" | "too-large" | "replaced";
  /** One sentence without its subject. */
  readonly reason: string;
}

/** Whether the target takes a node at a key below its top, as far as is known. */
export function isHoldable(key: string, { store, path }: DataLocation): boolean {
  const full = path + key;
  return store !== "v3" || full === "" || isReachable(full);
}

/** Why the target takes no node at a key, nor any below it, if it could hold the one above. */
export function topmostLoss(key: string, target: DataLocation): Loss | undefined {
  if (isHoldable(key, target) || !isHoldable(parentPath(key), target)) return undefined;
  const levels = levelsOf(target.path + key);
  const reason =
    levels > MAX_DEPTH
      ? `would have ${levels} levels in the target, which takes ${MAX_DEPTH} at most`
      : "has a name that the v3 key space does not take";
  return { key, kind: "unholdable", reason };
}

const REASONS = {
  unnamed: "is not UTF-8, or has no name in v2; several such keys may be shown as one",
  unremovable: "is not UTF-8 in the target, where no request can remove it",
  replaced: "has a value with U+FFFD, which may stand for bytes that are not UTF-8",
} as const;

export function lossOf(key: string, kind: keyof typeof REASONS): Loss {
  return { key, kind, reason: REASONS[kind] };
}

/** @param error by which the target refused the value */
export function tooLarge(key: string, error: Error): Loss {
  return {
    key,
    kind: "too-large",
    reason: `has a value that the target refuses: ${error.message}`,
  };
}
