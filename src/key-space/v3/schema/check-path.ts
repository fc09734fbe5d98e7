import { errorDefinition, serverErrorOf } from "../../../errors/error-table.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { isReachable, levelsOf, MAX_V3_LEVELS } from "./key-schema.js";

/**
 * Refuses a path that is impossible on the v3 API. Every request and watch is checked here.
 *
 * @throws InvalidFieldError
 */
export function checkPath(
  path: string,
  { operation, key }: Pick<V3Call, "operation" | "key">,
): void {
  if (path === "" || isReachable(path)) return;
  throw serverErrorOf({
    ...errorDefinition(209),
    errorCode: 209,
    detail: problemOf(path),
    index: 0,
    key,
    operation,
    endpoint: "this key space",
  });
}

function problemOf(path: string): string {
  if (path.includes("\0")) return "the key has a zero character, which is impossible on the v3 API";
  const levels = levelsOf(path);
  return levels > MAX_V3_LEVELS
    ? `the key has ${levels} levels; use a key with at most ${MAX_V3_LEVELS} levels on the v3 API`
    : 'the key has an empty, "." or ".." segment';
}
