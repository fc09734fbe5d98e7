import { constants } from "node:os";
import { AdminError } from "../../errors/admin-error.js";
import { ClusterUnavailableError, OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { EtcdError } from "../../errors/etcd-error.js";
import { TransferFailedError, TransferRefusedError } from "../../errors/migration-errors.js";

/** With what the program ends: etcdctl's codes, and two more. Scripts rely on them. */
export const ExitCode = {
  /** Called wrongly, a local file that cannot be used, a refused migration, users, roles, members. */
  misused: 1,
  /** No member could be reached. */
  unreachable: 2,
  /** etcd refused, or answered too late or in a way that cannot be used. */
  refused: 4,
  /** Not every member is healthy. */
  unhealthy: 5,
  /** A write was sent, and whether it took effect is not known. */
  outcomeUnknown: 6,
  /** As if by the signal SIGPIPE. */
  closedPipe: 141,
} as const;

/** That of a process which a signal ended, as shells have it. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** The code that says what kind of failure it was. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof OutcomeUnknownError) return ExitCode.outcomeUnknown;
  if (error instanceof ClusterUnavailableError) return ExitCode.unreachable;
  if (error instanceof TransferRefusedError || error instanceof TransferFailedError) {
    return ExitCode.misused;
  }
  if (error instanceof AdminError || !(error instanceof EtcdError)) return ExitCode.misused;
  return ExitCode.refused;
}
