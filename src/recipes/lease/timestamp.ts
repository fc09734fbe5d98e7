import type { Clock } from "../../time/clock.js";

/** A time on both clocks of this process, in milliseconds. */
export interface Timestamp {
  readonly monotonic: number;
  readonly wall: number;
}

export function timestampOf(clock: Clock): Timestamp {
  return { monotonic: clock.monotonic(), wall: clock.now() };
}

/**
 * Milliseconds since a timestamp, on the clock that shows more. The monotonic clock may stop while
 * the machine sleeps, and the wall clock may be set back.
 */
export function since(timestamp: Timestamp, clock: Clock): number {
  return Math.max(clock.monotonic() - timestamp.monotonic, clock.now() - timestamp.wall);
}
