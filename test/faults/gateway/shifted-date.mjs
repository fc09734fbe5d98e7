// @ts-check
/** Preloaded before a gateway: its parent sets its wall clock by the message `{ shiftMs }`. */

let shiftMs = 0;
const { now } = Date;
Date.now = () => now() + shiftMs;

globalThis.Date = new Proxy(Date, {
  construct: (target, time) =>
    time.length === 0 ? new target(target.now()) : Reflect.construct(target, time),
});

process.on("message", (/** @type {{ shiftMs?: number }} */ message) => {
  if (message.shiftMs !== undefined) shiftMs = message.shiftMs;
});
