/** The timers of Node. A bundle for browsers has those of `timers.browser.ts` instead. */
import { setImmediate } from "node:timers";

export { clearImmediate, clearTimeout, setImmediate, setTimeout } from "node:timers";

/**
 * `process.nextTick` at the time this module was loaded: Jest replaces it. If it was replaced before, an
 * immediate.
 */
export const nextTick: (callback: () => void) => void =
  "clock" in process.nextTick ? setImmediate : process.nextTick.bind(process);
