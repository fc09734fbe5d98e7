import { afterPoll, clearTimeout, monotonicNow, setTimeout, wallNow } from "./event-loop.js";

/** Time as a parameter, so that tests need not wait for it. */
export interface Clock {
  /** Wall clock: milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some fixed moment; never goes back, whatever happens to the wall clock. */
  monotonic(): number;
  /** Calls back once after so many milliseconds; the returned function cancels that. */
  after(milliseconds: number, callback: () => void): () => void;
  /**
   * Like `after`, for the time-out of something that arrives on a socket. Before it calls back, the clock
   * lets data be read that arrived in time, which matters after the event loop was blocked.
   *
   * @default `after`
   */
  deadline?(milliseconds: number, callback: () => void): () => void;
}

/** Milliseconds by which a timer fires late when the event loop was blocked. */
const BLOCKED_MS = 20;
/** Milliseconds, at most, by which a time-out is extended then: for the round trips of a handshake. */
const EXTENSION_MS = 500;

/** This process's own clock. Its timers keep the process alive, as a pending call should. */
export const systemClock: Clock = {
  now: () => wallNow(),
  monotonic: () => monotonicNow(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  /**
   * Node runs timers before it reads sockets. So a time-out waits for one poll phase before it decides.
   * A connection that is being made needs several: if the event loop was blocked, a time-out is extended once.
   */
  deadline(milliseconds, callback) {
    const due = monotonicNow() + milliseconds;
    const expire = (): void => {
      cancel = afterPoll(callback);
    };
    let cancel = systemClock.after(milliseconds, () => {
      if (monotonicNow() - due < BLOCKED_MS) expire();
      else cancel = systemClock.after(Math.min(milliseconds, EXTENSION_MS), expire);
    });
    return () => cancel();
  },
};

/** Calls back when the time for an answer is up: {@link Clock.deadline}, where the clock has one. */
export function deadline(clock: Clock, milliseconds: number, callback: () => void): () => void {
  return clock.deadline?.(milliseconds, callback) ?? clock.after(milliseconds, callback);
}
