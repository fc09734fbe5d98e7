import { isReachable } from "../key-space/v3/schema/key-schema.js";
import { RECORD_KEY } from "../transfer/migrate/migration-record.js";
import type { StoredState } from "./cutover-state.js";
import { hiddenPrefixes } from "./hidden-prefixes.js";
import { INDEX_KEY } from "./index-raiser.js";
import type { CutoverTarget } from "./open-target.js";

/** All hidden keys of v3, and those that there were at the last switch: so a copy also removes what is gone. */
export async function hiddenKeys(
  { reader, keptAt }: CutoverTarget,
  { switches }: StoredState,
): Promise<readonly string[]> {
  const hidden = new Set<string>();
  const add = (path: string): void => {
    for (const each of hiddenPrefixes(path)) hidden.add(each);
  };
  for await (const path of reader.paths()) add(path);
  for (const path of (await keptAt(switches).below("", undefined)).keys()) add(path);
  for (const key of [RECORD_KEY, INDEX_KEY]) hidden.delete(key);
  return [...hidden].filter(isReachable);
}
