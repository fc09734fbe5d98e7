/**
 * One attempt at one endpoint failed. The call may make further attempts.
 *
 * `processed` says what the endpoint did with the request. `no` is used only when that is certain;
 * then even a write may be sent to another member.
 */
export class AttemptFailure extends Error {
  readonly processed: "no" | "unknown";
  override readonly cause: Error;
  /**
   * Health of the endpoint. `failed`: prefer others for a while. `healthy`: keep using it.
   * `ready`: only this connection is unusable; send the request again on a new one.
   */
  readonly endpointIs: "failed" | "healthy" | "ready";

  constructor(
    processed: "no" | "unknown",
    cause: Error,
    endpointIs: AttemptFailure["endpointIs"] = "failed",
  ) {
    super(cause.message);
    this.processed = processed;
    this.cause = cause;
    this.endpointIs = endpointIs;
  }
}
