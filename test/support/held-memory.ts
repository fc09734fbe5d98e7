import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Bytes of memory that are still in use after `work`, beyond those before. */
export async function heldAfter(work: () => unknown): Promise<number> {
  const before = await inUse();
  const result = work();
  const held = (await inUse()) - before;
  // Keeps the result alive until here.
  if (result === collect) throw new Error("unreachable");
  return held;
}

/** Collects what is not in use any more, memory outside of the heap included. */
export async function collectGarbage(): Promise<void> {
  collect();
  // What is outside of the heap is given back a little later.
  await setTimeout(10);
  collect();
}

async function inUse(): Promise<number> {
  await collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
