import type { KeysAt } from "./keys-at.js";

/** How a directory differs from what it was. */
export interface PastDifference {
  readonly same: number;
  readonly added: number;
  readonly missing: readonly string[];
  readonly changed: readonly string[];
}

/** A key that was not written since is as it was. One that was written again may be, too: its value says so. */
export function comparePast(then: KeysAt, now: KeysAt): PastDifference {
  const missing: string[] = [];
  const changed: string[] = [];
  for (const [key, changedAt] of then.keys) {
    const present = now.keys.get(key);
    if (present === undefined) missing.push(key);
    else if (present !== changedAt) changed.push(key);
  }
  const same = then.keys.size - missing.length - changed.length;
  return { same, added: now.keys.size - same - changed.length, missing, changed };
}
