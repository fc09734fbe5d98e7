/** What carries an exchange, as far as the exchange can act on it. */
export interface Flow {
  /** Asks that nothing more should come for now. A connection of HTTP/1 does not heed it. */
  pause(): void;
  resume(): void;
  /** Ends what the exchange has of the connection. */
  abort(reason: Error): void;
}
