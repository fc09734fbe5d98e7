import { TimeoutError, V2DisabledError } from "../../errors/cluster-errors.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import { EtcdServerError } from "../../errors/server-error.js";
import { V3RefusedError } from "../../errors/v3-errors.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";

/** The result of a read from one member. */
export interface MemberState {
  /** URL of the endpoint. */
  readonly endpoint: string;
  /** Why the member did not serve the read. Absent: it did. */
  readonly error?: Error | undefined;
  /** Term of raft, which increases with each election. */
  readonly raftTerm?: number | undefined;
}

/** Why no member serves reads, in one line. It has no texts of the network, because anybody may read it. */
export function problemOf(members: readonly MemberState[]): string {
  const counts = new Map<string, number>();
  for (const { error } of members) {
    if (error === undefined) continue;
    const problem = problemIn(error);
    counts.set(problem, (counts.get(problem) ?? 0) + 1);
  }
  const parts = [...counts].map(([problem, count]) => `${count} of ${members.length} ${problem}`);
  return `no etcd member serves reads: ${parts.join(", ")}`;
}

function problemIn(error: Error): string {
  const cause = error instanceof AttemptFailure ? error.cause : error;
  if (cause instanceof UnauthorizedError) return "refused the user of the gateway";
  if (cause instanceof V2DisabledError) return "did not serve the v2 API";
  if (cause instanceof V3RefusedError || cause instanceof EtcdServerError)
    return "refused the read";
  if (cause instanceof TimeoutError || isEtcdError(cause, "Abort"))
    return "did not respond (hung, or without a quorum)";
  return "could not be reached";
}
