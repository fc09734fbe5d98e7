/** The timers of browsers, with the types of Node: a key space in memory, and what uses it, needs no others. */

type Timers = Pick<
  typeof import("node:timers"),
  "clearImmediate" | "clearTimeout" | "setImmediate" | "setTimeout"
>;

const browser = globalThis as unknown as Timers;

export const setTimeout: Timers["setTimeout"] = browser.setTimeout.bind(globalThis);
export const clearTimeout: Timers["clearTimeout"] = browser.clearTimeout.bind(globalThis);

/** In a task of its own, so that the browser can react to its user in between. */
export const setImmediate = ((callback: () => void) =>
  setTimeout(callback, 0)) as unknown as Timers["setImmediate"];
export const clearImmediate = clearTimeout as unknown as Timers["clearImmediate"];

export const nextTick = (callback: () => void): void => queueMicrotask(callback);
