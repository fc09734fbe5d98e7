/** What carries an exchange, as far as the exchange can act on it. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Ends what the exchange has of the connection. */
  abort(reason: Error): void;
}
