import type { Removal } from "../model/page-types.js";

/** A key that was removed. */
export interface RemovedKey {
  readonly revision: number;
  readonly key: string;
}

/** Groups removals by their revision, the newest first. Keys that were removed together were one directory, mostly. */
export function removalsOf(removed: readonly RemovedKey[]): readonly Removal[] {
  const removals: Removal[] = [];
  for (const { revision, key } of removed) {
    const last = removals.at(-1);
    if (last?.revision === revision) {
      removals[removals.length - 1] = {
        ...last,
        keys: last.keys + 1,
        at: commonDirectory(last.at, key),
      };
    } else removals.push({ revision, keys: 1, at: key });
  }
  return removals.reverse();
}

/** The deepest directory that has both, or is the first one and has the second one. */
function commonDirectory(first: string, second: string): string {
  const [a, b] = [first.split("/"), second.split("/")];
  let same = 0;
  while (same < a.length && same < b.length - 1 && a[same] === b[same]) same++;
  return a.slice(0, same).join("/") || "/";
}
