import { AbortError } from "../../errors/abort-error.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { isRetryable } from "../../key-space/shared/is-retryable.js";

/** Whether a request failed without a usable response, so that the same request may succeed later. */
export function isTransient(error: unknown): boolean {
  return error instanceof OutcomeUnknownError || isRetryable(error);
}

/** Whether etcd may have processed a failed or aborted request, or may still process it. */
export function isOutcomeUncertain(error: unknown): boolean {
  if (error instanceof AbortError) return error.outcome === "unknown";
  return error instanceof OutcomeUnknownError;
}
