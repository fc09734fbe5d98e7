import { inspect } from "node:util";
import { OptionError } from "../errors/option-error.js";
import type { SubscribeRequest } from "../key-space/subscription.js";
import { type KnownOptions, refuseUnknown } from "../model/option-names.js";
import { checkWatchRequest } from "../model/validate.js";
import { MAX_TIMER_MS } from "../time/clock.js";
import type { WatchOptions } from "../watch/watcher.js";

const OPTIONS: KnownOptions<WatchOptions> = {
  recursive: true,
  from: true,
  clusterId: true,
  initial: true,
  pollInterval: true,
  bufferSize: true,
  signal: true,
};

/** Checks the options of `watch` and adds the defaults. @throws TypeError naming the option and the fix */
export function watchSettings(key: string, options: WatchOptions): SubscribeRequest {
  refuseUnknown(options, OPTIONS);
  const { recursive = false, from, clusterId, initial = false } = options;
  const { pollInterval = 60_000, bufferSize = 10_000 } = options;
  checkWatchRequest({ key });
  if (from !== undefined) checkInteger("from", from, Number.MAX_SAFE_INTEGER);
  if (from !== undefined && initial) {
    throw new OptionError(
      "initial, from",
      "cannot be combined, because from resumes without a state",
      "pass only one of them",
    );
  }
  if (clusterId !== undefined && from === undefined) {
    throw new OptionError("clusterId", "needs from, the index that it belongs to", "pass both");
  }
  checkInteger("pollInterval", pollInterval, MAX_TIMER_MS);
  checkInteger("bufferSize", bufferSize, Number.MAX_SAFE_INTEGER);
  const begin = initial ? "state" : (from ?? "now");
  // A proxy may have removed the header with the ID.
  const cluster = clusterId === "" ? undefined : clusterId;
  const limits = { pollInterval, bufferSize };
  return { key, recursive, from: begin, clusterId: cluster, state: "full", ...limits };
}

function checkInteger(field: string, value: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return;
  throw new OptionError(field, `must be an integer from 1 to ${max}, not ${inspect(value)}`);
}
