import type { KnownOptions } from "../../model/option-names.js";

/** Options of {@link Mirror}. */
export interface MirrorOptions {
  /** Ends the mirror, as its `close()` does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Maximum milliseconds between two attempts to prove that the copy is complete, as for a watch.
   *
   * @default 60_000
   */
  readonly pollInterval?: number | undefined;
  /**
   * Maximum number of queued events. Events are queued while listeners are slow.
   *
   * @default 10_000
   */
  readonly bufferSize?: number | undefined;
}

export const MIRROR_OPTIONS: KnownOptions<MirrorOptions> = {
  signal: true,
  pollInterval: true,
  bufferSize: true,
};
