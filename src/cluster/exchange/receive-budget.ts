/** Bounds the memory of all responses that are being received, and of watches that are not read. */
export interface ReceiveBudget {
  /** Reserves memory for one response. `giveUp` is called at most once, when another one needs the memory. */
  reserve(giveUp: (reason: Error) => void): Reservation;
}

/** The memory that is reserved for one response. */
export interface Reservation {
  /** Sets the reserved bytes. May call `giveUp`. */
  set(bytes: number): void;
  release(): void;
}
