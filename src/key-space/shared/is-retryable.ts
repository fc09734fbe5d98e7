import {
  ClusterUnavailableError,
  ProtocolError,
  TimeoutError,
} from "../../errors/cluster-errors.js";
import { WatcherClearedError } from "../../errors/event-errors.js";
import { EtcdRaftError } from "../../errors/server-error.js";

/** Failures that may be over when the same is asked again, here or at another member. */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof ClusterUnavailableError ||
    error instanceof TimeoutError ||
    error instanceof EtcdRaftError ||
    error instanceof WatcherClearedError ||
    error instanceof ProtocolError
  );
}
