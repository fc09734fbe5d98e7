import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { parentPath } from "../../key-space/shared/path.js";
import { list } from "./listing.js";

/** Whether the directory at a path, or one of its parents, has a TTL. */
export async function hasTtlAbove(
  keySpace: KeySpace,
  path: string,
  options: CallOptions,
): Promise<boolean> {
  for (let at = path; at !== ""; at = parentPath(at)) {
    const { self } = await list(keySpace, at, options);
    if (self?.ttl !== undefined) return true;
  }
  return false;
}
