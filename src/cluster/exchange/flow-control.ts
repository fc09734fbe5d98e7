/** Controls the connection or stream of an exchange. */
export interface FlowControl {
  /** Requests that the server sends no more for now. No effect over HTTP/1. */
  pause(): void;
  resume(): void;
  /**
   * Closes the client's half of the connection. No other exchange uses the connection after that.
   */
  halfClose?(): void;
  /** Ends the exchange's stream, or its connection. */
  abort(reason: Error): void;
}
