import type { Clock } from "../../time/clock.js";

/** A moment on both clocks of this process. */
export interface Timestamp {
  readonly monotonic: number;
  readonly wall: number;
}

export function timestampOf(clock: Clock): Timestamp {
  return { monotonic: clock.monotonic(), wall: clock.now() };
}

/**
 * Milliseconds since a moment, by whichever clock says more: the monotonic one may stand still while
 * the machine sleeps, the wall clock may be set back.
 */
export function since(moment: Timestamp, clock: Clock): number {
  return Math.max(clock.monotonic() - moment.monotonic, clock.now() - moment.wall);
}
