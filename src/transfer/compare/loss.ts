import type { DataLocation } from "../../key-space/data-location.js";
import { parentPath } from "../../key-space/shared/path.js";
import { isReachable, levelsOf, MAX_V3_LEVELS } from "../../key-space/v3/schema/key-schema.js";

/** A part of a source that the target cannot store unchanged. */
export interface Loss {
  /** The key as the source shows it. */
  readonly key: string;
  /**
   * `unnamed`: the key is not UTF-8, or has no name in v2. Several such keys may look equal.
   * `unholdable`: the target does not accept such a key.
   * `unremovable`: the target has a key that is not UTF-8, and that no request can remove.
   * `too-large`: the target refuses the value because of its size.
   * `replaced`: the value contains U+FFFD, which may replace bytes that are not UTF-8.
   *
   * With `lossy`, a `replaced` value is written as the source shows it, an `unremovable` key stays,
   * and the others are left out.
   */
  readonly kind: "unnamed" | "unholdable" | "unremovable" | "too-large" | "replaced";
  /** A sentence without its subject, which is the key. */
  readonly reason: string;
}

/** Whether the target accepts a node at a key below its top, as far as is known. */
export function isStorable(key: string, { store, path }: DataLocation): boolean {
  const full = path + key;
  return store !== "v3" || full === "" || isReachable(full);
}

/** Why the target refuses a key although it accepts the parent; `undefined` for keys below it. */
export function topmostLoss(key: string, target: DataLocation): Loss | undefined {
  if (isStorable(key, target) || !isStorable(parentPath(key), target)) return undefined;
  const levels = levelsOf(target.path + key);
  const reason =
    levels > MAX_V3_LEVELS
      ? `would have ${levels} levels in the target, which accepts at most ${MAX_V3_LEVELS}`
      : "has a name that the v3 key space does not accept";
  return { key, kind: "unholdable", reason };
}

const REASONS = {
  unnamed: "is not UTF-8, or has no name in v2; several such keys may look equal",
  unremovable: "is not UTF-8 in the target, where no request can remove it",
  replaced: "has a value with U+FFFD, which may replace bytes that are not UTF-8",
} as const;

export function lossOf(key: string, kind: keyof typeof REASONS): Loss {
  return { key, kind, reason: REASONS[kind] };
}

/** @param error the refusal of the target */
export function tooLarge(key: string, error: Error): Loss {
  return {
    key,
    kind: "too-large",
    reason: `has a value that the target refuses: ${error.message}`,
  };
}
