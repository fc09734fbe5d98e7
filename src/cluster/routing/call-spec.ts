import type { HttpRequest, HttpResponseHead } from "../../wire/http.js";
import type { AttemptLimits } from "../exchange/outgoing-request.js";

/** Sends one request to one endpoint. @throws AttemptFailure when another attempt may follow */
export type SendAttempt<R> = (
  url: string,
  request: HttpRequest,
  limits: AttemptLimits,
) => Promise<R>;

/**
 * The request of a call, how to send it and how to read its response. Two steps, because the
 * response is traced before it is interpreted.
 */
export interface CallSpec<R extends HttpResponseHead, T> {
  readonly request: HttpRequest;
  readonly send: SendAttempt<R>;
  /** @throws AttemptFailure when another attempt may follow */
  readonly interpret: (response: R) => T;
}
