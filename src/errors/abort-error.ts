/**
 * A call was given up through its signal, whose reason is the `cause`. Named and coded as Node's
 * own, so that one check serves both.
 */
export class AbortError extends Error {
  override readonly name = "AbortError";
  readonly code = "ABORT_ERR";
  /**
   * What became of the request: `unknown` when a write was already sent and may take effect,
   * `not-sent` when it was not, `none` for reads and watches.
   */
  readonly outcome: "unknown" | "not-sent" | "none";

  constructor(operation: string, reason: unknown, outcome: AbortError["outcome"]) {
    const effect = outcome === "unknown" ? "; it was sent before and may take effect" : "";
    super(`${operation} was aborted${effect}`, { cause: reason });
    this.outcome = outcome;
  }
}
