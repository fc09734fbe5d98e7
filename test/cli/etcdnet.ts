import { type Outcome, type RunOptions, run, type Started, start } from "../foreign/run.js";
import { MAIN } from "../support/cli-process.js";

/** Runs `etcdnet` to its end. */
export function etcdnet(args: readonly string[], options?: RunOptions): Promise<Outcome> {
  return run(process.execPath, [MAIN, ...args], options);
}

/** Starts `etcdnet`, for commands that run until a signal. */
export function startEtcdnet(args: readonly string[], options?: RunOptions): Started {
  return start(process.execPath, [MAIN, ...args], options);
}
