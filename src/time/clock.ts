import { afterSocketReads, clearTimeout, monotonicNow, setTimeout, wallNow } from "./event-loop.js";

/** Time as a parameter, so that tests do not have to wait. */
export interface Clock {
  /** Wall clock: milliseconds since 1970. */
  now(): number;
  /** Milliseconds since a fixed time. Never decreases, even if the wall clock changes. */
  monotonic(): number;
  /** Calls `callback` once after `milliseconds`. The returned function cancels the timer. */
  after(milliseconds: number, callback: () => void): () => void;
  /**
   * Like `after`, for the timeout of data from a socket. First lets the event loop read data that
   * arrived in time. This matters after the event loop was blocked.
   *
   * @default `after`
   */
  socketTimeout?(milliseconds: number, callback: () => void): () => void;
}

/** The longest delay of a timer of Node, about 596 hours. A longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Delay of a timer that shows that the event loop was blocked. */
const BLOCKED_MS = 20;
/** Maximum extension of a timeout in that case. It is enough for the round trips of a handshake. */
const EXTENSION_MS = 500;

/** The clock of this process. Its timers keep the process alive, as a pending call should. */
export const systemClock: Clock = {
  now: () => wallNow(),
  monotonic: () => monotonicNow(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  /**
   * Node runs timers before it reads sockets. So the timeout waits for one poll phase. Opening a
   * connection needs several: if the event loop was blocked, the timeout is extended once.
   */
  socketTimeout(milliseconds, callback) {
    const due = monotonicNow() + milliseconds;
    const expire = (): void => {
      cancel = afterSocketReads(callback);
    };
    let cancel = systemClock.after(milliseconds, () => {
      if (monotonicNow() - due < BLOCKED_MS) expire();
      else cancel = systemClock.after(Math.min(milliseconds, EXTENSION_MS), expire);
    });
    return () => cancel();
  },
};

/** Calls `callback` when a timeout expires. Uses {@link Clock.socketTimeout} if the clock has it. */
export function socketTimeout(
  clock: Clock,
  milliseconds: number,
  callback: () => void,
): () => void {
  return clock.socketTimeout?.(milliseconds, callback) ?? clock.after(milliseconds, callback);
}
