/**
 * One attempt at one endpoint gave no usable answer, and the call is not over yet.
 *
 * Whoever makes the attempt says with `processed` what the endpoint did with the request: `no` is
 * said only when that is certain; then even a write may go to another member.
 */
export class AttemptFailure extends Error {
  readonly processed: "no" | "unknown";
  override readonly cause: Error;
  /**
   * `ill`: others are preferred to this endpoint for a while.
   * `ready`: it only takes nothing more on this connection, and may on another, so it is asked once more.
   */
  readonly endpointIs: "ill" | "well" | "ready";

  constructor(
    processed: "no" | "unknown",
    cause: Error,
    endpointIs: AttemptFailure["endpointIs"] = "ill",
  ) {
    super(cause.message);
    this.processed = processed;
    this.cause = cause;
    this.endpointIs = endpointIs;
  }
}
