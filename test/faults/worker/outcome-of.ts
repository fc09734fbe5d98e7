import {
  AbortError,
  EtcdError,
  OutcomeUnknownError,
  OwnershipLostError,
} from "../../../src/index.js";
import type { Outcome } from "../workload.js";

/**
 * What a failed operation has done, as its error says. A read never fails with an unknown outcome.
 *
 * @throws the error itself, if the client does not throw it for a failed operation
 */
export function outcomeOf(error: unknown): Exclude<Outcome, "ok"> {
  if (error instanceof AbortError) return error.outcome === "unknown" ? "unknown" : "failed";
  // A key with a TTL whose creation was confirmed too late may exist.
  const isUnknown = error instanceof OutcomeUnknownError || error instanceof OwnershipLostError;
  if (isUnknown) return "unknown";
  if (error instanceof EtcdError) return "failed";
  throw error;
}

export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
