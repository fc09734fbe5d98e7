import type { StoredState } from "../../cutover/cutover-state.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";

/** The result of a request on v2. */
export type Outcome = { readonly response: EtcdResponse } | { readonly error: unknown };

/** Whether v2 has decided before the switch, or nobody knows whether it has. */
export function isFinal(outcome: Outcome, request: KeyRequest, { end }: StoredState): boolean {
  if ("error" in outcome) return outcome.error instanceof OutcomeUnknownError;
  return request.action !== "get" && outcome.response.etcdIndex <= end;
}

/** @throws its error */
export function resultOf(outcome: Outcome): EtcdResponse {
  if ("error" in outcome) throw outcome.error;
  return outcome.response;
}
