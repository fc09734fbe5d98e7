/** What carries an exchange, as far as the exchange can act on it. */
export interface FlowControl {
  /** Asks that nothing more should come for now. A connection of HTTP/1 does not heed it. */
  pause(): void;
  resume(): void;
  /** Closes the client's half of the connection, which no other exchange uses after that. */
  halfClose?(): void;
  /** Ends what the exchange has of the connection. */
  abort(reason: Error): void;
}
