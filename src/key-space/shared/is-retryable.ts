import {
  ClusterUnavailableError,
  ProtocolError,
  TimeoutError,
} from "../../errors/cluster-errors.js";
import { WatcherClearedError } from "../../errors/event-errors.js";
import { EtcdRaftError } from "../../errors/server-error.js";

/** Whether the same request may succeed later, at this member or another one. */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof ClusterUnavailableError ||
    error instanceof TimeoutError ||
    error instanceof EtcdRaftError ||
    error instanceof WatcherClearedError ||
    error instanceof ProtocolError
  );
}
