import { constants } from "node:os";
import { AdminError } from "../../errors/admin-error.js";
import { ClusterUnavailableError, OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { EtcdError } from "../../errors/etcd-error.js";
import {
  TargetInUseError,
  TransferFailedError,
  TransferRefusedError,
} from "../../errors/migration-errors.js";

/** Exit codes: etcdctl's, and two more. Scripts rely on them. */
export const ExitCode = {
  /** Wrong arguments, an unusable local file, a refused migration, or a refused change of users, roles or members. */
  invalidUsage: 1,
  /** The doctor found something that blocks an upgrade, or could not check something. */
  blocked: 1,
  /** A search found nothing. */
  nothingFound: 1,
  /** No member could be reached. */
  unreachable: 2,
  /** etcd refused the request, or sent no usable response in time. */
  refused: 4,
  /** Not every member is healthy. */
  unhealthy: 5,
  /** A write was sent, but its outcome is unknown. */
  outcomeUnknown: 6,
  /** The same as after the signal SIGPIPE. */
  closedPipe: 141,
} as const;

/** The exit code that shells report for a process ended by a signal. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

const MISUSES = [AdminError, TargetInUseError, TransferFailedError, TransferRefusedError];

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof OutcomeUnknownError) return ExitCode.outcomeUnknown;
  if (error instanceof ClusterUnavailableError) return ExitCode.unreachable;
  if (MISUSES.some((kind) => error instanceof kind)) return ExitCode.invalidUsage;
  if (!(error instanceof EtcdError)) return ExitCode.invalidUsage;
  return ExitCode.refused;
}
