import type { KeySpace } from "../key-space/key-space.js";
import type { AnswerOrigin } from "../model/response.js";
import type { Clock } from "../time/clock.js";
import type { SharedReads } from "./shared-reads.js";

/** What a watch is told, complete. */
export interface WatchSettings {
  readonly key: string;
  readonly recursive: boolean;
  readonly from: number | undefined;
  readonly initial: boolean;
  /** Milliseconds. */
  readonly pollInterval: number;
  /** Items. */
  readonly bufferSize: number;
}

/** Where a watch looks, and whom it tells besides its consumer. */
export interface WatchSource {
  readonly keySpace: KeySpace;
  /** What the watches of a client share. */
  readonly reads: SharedReads;
  readonly clock: Clock;
  /** Aborts when nothing more can be asked. */
  readonly closed: AbortSignal;
  /** Called with every answer. */
  observe(origin: AnswerOrigin): void;
}
