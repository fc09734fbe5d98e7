import type { CallOptions } from "../key-space/key-space.js";
import type { WatchItem } from "./watch-item.js";

export interface WatchOptions extends CallOptions {
  readonly recursive?: boolean;
  readonly from?: number;
  readonly initial?: boolean;
  readonly pollInterval?: number;
  readonly bufferSize?: number;
}
/** Follows a key: for await. One reader. */
export interface Watcher extends AsyncIterableIterator<WatchItem> {
  readonly index: number;
  readonly contactAt: number | undefined;
  close(): void;
}
