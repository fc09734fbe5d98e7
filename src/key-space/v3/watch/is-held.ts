import { V3RefusedError } from "../../../errors/v3-errors.js";
import type { V3Api, V3Call } from "../v3-api.js";

const COMPACTED = "etcdserver: mvcc: required revision has been compacted";

/**
 * Whether etcd still holds what happened since a revision, itself included. `key` is any that the
 * user may read.
 */
export async function isHeld(
  api: V3Api,
  key: string,
  revision: number,
  call: V3Call,
): Promise<boolean> {
  const read = { key, revision: String(revision), keys_only: true };
  try {
    await api.call("kv/range", read, call);
    return true;
  } catch (error) {
    if (error instanceof V3RefusedError && error.detail === COMPACTED) return false;
    throw error;
  }
}
