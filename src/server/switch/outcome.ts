import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { EtcdCommonError } from "../../errors/server-error.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";

/** The result of a request on one of the clusters. */
export type Outcome = { readonly response: EtcdResponse } | { readonly error: unknown };

/**
 * Whether a cluster has decided before its end, or nobody knows whether it has.
 *
 * @param end index up to which its changes count
 */
export function isFinal(outcome: Outcome, request: KeyRequest, end: number): boolean {
  if ("error" in outcome) return outcome.error instanceof OutcomeUnknownError;
  return request.action !== "get" && outcome.response.etcdIndex <= end;
}

/** @throws its error */
export function resultOf(outcome: Outcome): EtcdResponse {
  if ("error" in outcome) throw outcome.error;
  return outcome.response;
}

/** Whether the cluster has executed or refused the request. */
export function isDecided(outcome: Outcome): boolean {
  return "response" in outcome || outcome.error instanceof EtcdCommonError;
}
