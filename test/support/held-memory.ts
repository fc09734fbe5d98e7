import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** The bytes of memory that the result of `work` keeps in use. */
export async function heldAfter(work: () => unknown): Promise<number> {
  const before = await inUse();
  const result = work();
  const held = (await inUse()) - before;
  // Keeps the result alive until here.
  if (result === collect) throw new Error("unreachable");
  return held;
}

/** Collects garbage, including memory outside of the heap. */
async function collectGarbage(): Promise<void> {
  collect();
  // Memory outside of the heap is released a little later.
  await setTimeout(10);
  collect();
}

async function inUse(): Promise<number> {
  await collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
