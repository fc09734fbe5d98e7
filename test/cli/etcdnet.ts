import { type Outcome, type RunOptions, run, type Started, start } from "../foreign/run.js";
import { MAIN } from "../support/cli-process.js";

/** Number of processes at a time. With more on two cores, the calls of each would time out. */
const MAX_RUNNING = 4;
let running = 0;
const waiting: (() => void)[] = [];

/** Runs `etcdnet` to its end. */
export async function etcdnet(args: readonly string[], options?: RunOptions): Promise<Outcome> {
  if (running === MAX_RUNNING) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await run(process.execPath, [MAIN, ...args], options);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

/** Starts `etcdnet`, for commands that run until a signal. */
export function startEtcdnet(args: readonly string[], options?: RunOptions): Started {
  return start(process.execPath, [MAIN, ...args], options);
}
