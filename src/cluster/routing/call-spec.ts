import type { HttpReplyHead, HttpRequest } from "../../wire/http.js";
import type { AttemptLimits } from "../exchange/outgoing-request.js";

/** Asks one endpoint. @throws AttemptFailure when another attempt may follow */
export type Ask<R> = (url: string, request: HttpRequest, limits: AttemptLimits) => Promise<R>;

/** What is asked, and how: in two steps, as what is replied is traced before it is judged. */
export interface Question<R extends HttpReplyHead, T> {
  readonly request: HttpRequest;
  readonly ask: Ask<R>;
  /** @throws AttemptFailure when another attempt may follow */
  readonly interpret: (reply: R) => T;
}
