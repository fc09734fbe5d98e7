import { AbortError } from "../../errors/abort-error.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { isRetryable } from "../../key-space/shared/is-retryable.js";

/** Whether a request failed for want of a usable answer, so that the same one may succeed later. */
export function isTransient(error: unknown): boolean {
  return error instanceof OutcomeUnknownError || isRetryable(error);
}

/** Whether a request that failed or was given up may have been carried out, or may yet be. */
export function isOutcomeUncertain(error: unknown): boolean {
  if (error instanceof AbortError) return error.outcome === "unknown";
  return error instanceof OutcomeUnknownError;
}
