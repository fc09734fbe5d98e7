import { refusalReasonOf } from "../../../etcd3/error-messages.js";

/** Whether a revision cannot be read: it was compacted, or the member is behind or new. */
export function isRevisionGone(error: unknown): boolean {
  const reason = refusalReasonOf(error);
  return reason === "compacted" || reason === "future-revision";
}
