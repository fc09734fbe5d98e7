/**
 * A call was aborted through its signal; `cause` is the reason of the signal. It has the name and the code
 * of Node's own `AbortError`, so that one check recognizes both.
 */
export class AbortError extends Error {
  override readonly name = "AbortError";
  readonly code = "ABORT_ERR";
  /**
   * The outcome of the request: `unknown` when a write was already sent and may be applied, `not-sent`
   * when it was not sent, `none` for reads and watches.
   */
  readonly outcome: "unknown" | "not-sent" | "none";

  constructor(operation: string, reason: unknown, outcome: AbortError["outcome"]) {
    const effect = outcome === "unknown" ? "; it was already sent and may be applied" : "";
    super(`${operation} was aborted${effect}`, { cause: reason });
    this.outcome = outcome;
  }
}
