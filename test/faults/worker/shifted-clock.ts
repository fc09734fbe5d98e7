import { type Clock, socketTimeout, systemClock } from "../../../src/time/clock.js";

/** The system clock, whose wall time can be set. As on a real machine, the monotonic time is not affected. */
export class ShiftedClock implements Clock {
  /** Milliseconds after the real time. */
  shiftMs = 0;

  readonly now = (): number => systemClock.now() + this.shiftMs;
  readonly monotonic = (): number => systemClock.monotonic();
  readonly after: Clock["after"] = (...timer) => systemClock.after(...timer);
  readonly socketTimeout: Clock["after"] = (...timer) => socketTimeout(systemClock, ...timer);
}
