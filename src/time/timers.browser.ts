/** The timers of browsers, with the types of Node: a key space in memory, and what uses it, needs no others. */

type Timers = Pick<
  typeof import("node:timers"),
  "clearImmediate" | "clearTimeout" | "setImmediate" | "setTimeout"
>;

/** The part of a port of a browser that is used here. */
interface Port {
  onmessage: () => void;
  postMessage(message: undefined): void;
  close(): void;
}

interface Browser extends Timers {
  readonly MessageChannel: new () => { readonly port1: Port; readonly port2: Port };
}

const browser = globalThis as unknown as Browser;

export const setTimeout: Timers["setTimeout"] = browser.setTimeout.bind(globalThis);
export const clearTimeout: Timers["clearTimeout"] = browser.clearTimeout.bind(globalThis);

/** In a task of its own, so that the browser can react to its user in between. A timer would take at least 4 ms. */
export const setImmediate = ((callback: () => void) => {
  const { port1, port2 } = new browser.MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
  return port1;
}) as unknown as Timers["setImmediate"];

export const clearImmediate = ((port?: Port) =>
  port?.close()) as unknown as Timers["clearImmediate"];

export const nextTick = (callback: () => void): void => queueMicrotask(callback);
