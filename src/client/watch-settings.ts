import { inspect } from "node:util";
import { refuseUnknown } from "../model/option-names.js";
import { checkWatchRequest } from "../model/validate.js";
import type { WatchSettings } from "../watch/watch-source.js";
import type { WatchOptions } from "../watch/watcher.js";

const OPTIONS = ["recursive", "from", "initial", "pollInterval", "bufferSize", "signal"];

/** Completes the options of `watch`. @throws TypeError naming the option and the fix */
export function watchSettings(key: string, options: WatchOptions): WatchSettings {
  refuseUnknown(options, OPTIONS);
  const { recursive = false, from, initial = false } = options;
  const { pollInterval = 60_000, bufferSize = 10_000 } = options;
  checkWatchRequest({ key });
  if (from !== undefined) checkWhole("from", from, Number.MAX_SAFE_INTEGER);
  if (from !== undefined && initial) {
    throw new TypeError(
      "initial: contradicts from, which goes on without a state; give one of them",
    );
  }
  checkWhole("pollInterval", pollInterval, 2 ** 31 - 1);
  checkWhole("bufferSize", bufferSize, Number.MAX_SAFE_INTEGER);
  return { key, recursive, from, initial, pollInterval, bufferSize };
}

function checkWhole(field: string, value: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return;
  throw new TypeError(`${field}: must be an integer from 1 to ${most}, not ${inspect(value)}`);
}
