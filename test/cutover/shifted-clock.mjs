// @ts-check
/** Preloaded before a process whose wall clock is to be wrong by `SHIFT_MS`. */

const shiftMs = Number(process.env.SHIFT_MS);
const { now } = Date;
Date.now = () => now() + shiftMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, time) =>
    time.length === 0 ? new target(target.now()) : Reflect.construct(target, time),
});
