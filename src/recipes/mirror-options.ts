import { refuseUnknown } from "./refuse-unknown.js";

/** Options of {@link Mirror}. */
export interface MirrorOptions {
  /** Ends the mirror, as its `close()` does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds: the longest time without proof that the member which is watched is alive.
   *
   * @default 60_000
   */
  readonly pollInterval?: number;
  /**
   * Events that may wait to be carried out, which is long only while listeners are slow. When there
   * are more, the subtree is read anew.
   *
   * @default 10_000
   */
  readonly bufferSize?: number;
}

const NAMES = ["signal", "pollInterval", "bufferSize"];

/** @throws TypeError naming an option that there is not */
export function checkMirrorOptions(options: MirrorOptions): void {
  refuseUnknown(options, NAMES, "a mirror");
}
