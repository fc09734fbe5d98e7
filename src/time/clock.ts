/** Time as a parameter, so that tests need not wait for it. */
export interface Clock {
  /** Wall clock: milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back, whatever happens to the wall clock. */
  monotonic(): number;
  /** Calls back once after so many milliseconds; the returned function cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** This process's own clock. Its timers keep the process alive, as a pending call should. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};
