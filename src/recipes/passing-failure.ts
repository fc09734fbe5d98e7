import { OutcomeUnknownError } from "../errors/cluster-errors.js";
import { isRepairable } from "../watch/repairable.js";

/** Whether a request failed for want of a usable answer, so that the same one may succeed later. */
export function isPassing(error: unknown): boolean {
  return error instanceof OutcomeUnknownError || isRepairable(error);
}
