import type { KeySpace } from "../key-space/key-space.js";
import type { AnswerOrigin } from "../model/response.js";
import type { Clock } from "../time/clock.js";
import type { SharedReads } from "./shared-reads.js";

/** The options of a watch, with defaults filled in. */
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

/** What a watch reads from, and who observes its responses. */
export interface WatchSource {
  readonly keySpace: KeySpace;
  /** Reads that the watches of a client share. */
  readonly reads: SharedReads;
  readonly clock: Clock;
  /** Aborts when the client is closed. */
  readonly closed: AbortSignal;
  /** Called with every response. */
  observe(origin: AnswerOrigin): void;
}
