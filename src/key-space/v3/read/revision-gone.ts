import { isV3Error } from "../../../etcd3/is-v3-error.js";

/** Whether a revision cannot be read: it was compacted, or the member is behind or new. */
export function isRevisionGone(error: unknown): boolean {
  return (
    isV3Error(error, "etcdserver: mvcc: required revision has been compacted") ||
    isV3Error(error, "etcdserver: mvcc: required revision is a future revision")
  );
}
