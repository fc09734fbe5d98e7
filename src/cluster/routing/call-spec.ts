import type { HttpReplyHead, HttpRequest } from "../../wire/http.js";
import type { AttemptLimits } from "../exchange/outgoing-request.js";

/** Asks one endpoint. @throws AttemptFailure when another attempt may follow */
export type SendAttempt<R> = (
  url: string,
  request: HttpRequest,
  limits: AttemptLimits,
) => Promise<R>;

/** What is asked, and how: in two steps, as what is replied is traced before it is judged. */
export interface CallSpec<R extends HttpReplyHead, T> {
  readonly request: HttpRequest;
  readonly ask: SendAttempt<R>;
  /** @throws AttemptFailure when another attempt may follow */
  readonly interpret: (reply: R) => T;
}
