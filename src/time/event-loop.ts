import * as timers from "node:timers";

/**
 * The timers as they were when this module was loaded. Fake timers of a test framework replace the
 * global functions, and often those of `node:timers` as well. Network traffic then still takes real time.
 */
const { setImmediate, clearImmediate } = timers;
export const { setTimeout, clearTimeout } = timers;

/** The clocks, captured for the same reason. */
const { performance } = globalThis;
export const monotonicNow = performance.now.bind(performance);
export const wallNow = Date.now;

const globalAtLoad = globalThis.setImmediate;

/** Whether a test framework has replaced the global `setImmediate`, which undici looks up at each use. */
export function hasFakeImmediates(): boolean {
  const { setImmediate: current } = globalThis;
  // Those of @sinonjs/fake-timers (Vitest, Jest) have this property: they may be older than this module.
  return current !== globalAtLoad || "clock" in current;
}

/**
 * Calls back when everything has been read that the sockets held at the time of the call: one whole poll
 * phase of the event loop lies between two immediates. The returned function cancels that.
 */
export function afterPoll(callback: () => void): () => void {
  let immediate = setImmediate(() => {
    immediate = setImmediate(callback);
  });
  return () => clearImmediate(immediate);
}

/** Lets the event loop run once, so that others have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
