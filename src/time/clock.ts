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
    const timeout: SocketTimeout = { milliseconds, due: monotonicNow() + milliseconds, callback };
    timeout.timer = setTimeout(onDue, milliseconds, timeout);
    return () => cancelTimeout(timeout);
  },
};

/** A pending {@link Clock.socketTimeout}. Each call has one, so it is a single object. */
interface SocketTimeout {
  readonly milliseconds: number;
  /** Monotonic time. */
  readonly due: number;
  readonly callback: () => void;
  timer?: NodeJS.Timeout;
  cancelReads?: () => void;
}

function onDue(timeout: SocketTimeout): void {
  const { due, milliseconds } = timeout;
  if (monotonicNow() - due < BLOCKED_MS) expire(timeout);
  else timeout.timer = setTimeout(expire, Math.min(milliseconds, EXTENSION_MS), timeout);
}

function expire(timeout: SocketTimeout): void {
  timeout.cancelReads = afterSocketReads(timeout.callback);
}

function cancelTimeout({ timer, cancelReads }: SocketTimeout): void {
  clearTimeout(timer);
  cancelReads?.();
}

/** Calls `callback` when a timeout expires. Uses {@link Clock.socketTimeout} if the clock has it. */
export function socketTimeout(
  clock: Clock,
  milliseconds: number,
  callback: () => void,
): () => void {
  return clock.socketTimeout?.(milliseconds, callback) ?? clock.after(milliseconds, callback);
}
