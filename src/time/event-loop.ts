import * as timers from "./timers.js";

/**
 * The timers at the time this module was loaded. Test frameworks replace the global functions, and
 * often those of `node:timers`, with fakes, but network traffic still takes real time.
 */
const { setImmediate, clearImmediate } = timers;
export const { setTimeout, clearTimeout, nextTick } = timers;

/** Calls `callback` in this turn of the event loop, after all sockets were read. With a fake `setImmediate`, earlier. */
export const afterReads: (callback: () => void) => void =
  "clock" in setImmediate ? nextTick : setImmediate;

/** `queueMicrotask`, through a promise, which no test framework replaces. `callback` must not throw. */
export function microtask(callback: () => void): void {
  void Promise.resolve().then(callback);
}

/** The clocks, kept for the same reason. */
const { performance } = globalThis;
export const monotonicNow = performance.now.bind(performance);
export const wallNow = Date.now;

const globalAtLoad = globalThis.setImmediate;

/** Whether a test framework has replaced the global `setImmediate`, which undici calls. */
export function hasFakeImmediates(): boolean {
  const { setImmediate: current } = globalThis;
  // The fakes of @sinonjs/fake-timers (Vitest, Jest) have this property. They may have been
  // installed before this module was loaded.
  return current !== globalAtLoad || "clock" in current;
}

/**
 * Calls `callback` after the event loop has read all data that was in the sockets at the time of the
 * call: between two immediates, the event loop runs a complete poll phase. The returned function
 * cancels the callback.
 */
export function afterSocketReads(callback: () => void): () => void {
  let immediate = setImmediate(() => {
    immediate = setImmediate(callback);
  });
  return () => clearImmediate(immediate);
}

/** Yields to the event loop once. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
