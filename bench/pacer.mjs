// @ts-check
/**
 * A clock for arrivals: the timers of Node have a resolution of 1 ms, so a thread sleeps for a part of it and sends a message.
 */
import { on } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";

const TICK_MS = 0.2;

if (!isMainThread) tick();

function tick() {
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(nobody, 0, 0, TICK_MS);
    parentPort?.postMessage(0);
  }
}

/** Ticks until the caller leaves the loop. A late caller gets the ticks that it missed at once. */
export async function* eachTick() {
  const thread = new Worker(new URL(import.meta.url));
  try {
    yield* on(thread, "message");
  } finally {
    await thread.terminate();
  }
}
