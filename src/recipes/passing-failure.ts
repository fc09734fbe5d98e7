import {
  ClusterUnavailableError,
  OutcomeUnknownError,
  ProtocolError,
  TimeoutError,
} from "../errors/cluster-errors.js";
import { EtcdRaftError } from "../errors/server-error.js";

/** Whether a call failed for want of a usable answer, so that the same call may succeed later. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof OutcomeUnknownError ||
    error instanceof ClusterUnavailableError ||
    error instanceof TimeoutError ||
    error instanceof ProtocolError ||
    error instanceof EtcdRaftError
  );
}
