import type { GetRequest } from "../model/key-request.js";
import type { EtcdNode, RemovedNode } from "../model/node.js";
import type { Action, EtcdNodeResponse } from "../model/response.js";
import type { CallOptions } from "./call-options.js";

/**
 * Reads what the store still holds of the past. An index means what it means in responses of today:
 * that of a node in any state is the index of the change that made it.
 */
export interface PastReads {
  /**
   * Executes a read as of an index: the state after the change with this index. `etcdIndex` of the
   * response, and the index of an error, is this index.
   *
   * @throws EventIndexClearedError when the store no longer holds that state
   * @throws InvalidFieldError when the index is after the current one
   */
  getAt(request: GetRequest, index: number, options?: CallOptions): Promise<EtcdNodeResponse>;

  /**
   * Opens the history of a key up to now.
   *
   * @throws AbortError, and the errors of a read
   */
  history(key: string, options?: HistoryOptions): Promise<KeyHistory>;
}

/** Options of a history. */
export interface HistoryOptions extends CallOptions {
  /**
   * Include everything below the key, except hidden keys (`_…`). A change that touched several keys
   * is one {@link PastChange} for each, in the order of the keys.
   *
   * @default false
   */
  readonly recursive?: boolean | undefined;
}

/**
 * The changes of one key, oldest first, for one reader; with `recursive`, also of everything below it.
 * Without, a directory has those of itself, without its children. Only a part is in memory at a time.
 *
 * Reading throws `EventIndexClearedError` when the store discards changes before they are read.
 */
export interface KeyHistory extends AsyncIterable<PastChange> {
  /** Whether the store has discarded no change. */
  readonly isComplete: boolean;
  /** Every change from this index on is part of the history. The store has discarded those before. */
  readonly firstIndex: number;
  /** Index of the store when the history was opened. Later changes are not part of it. */
  readonly lastIndex: number;
  /** The node just before `firstIndex`; absent if there was none, and with `recursive`. */
  readonly initial?: EtcdNode | undefined;
}

/** One change of a key. */
export interface PastChange {
  /** Index of the change. */
  readonly index: number;
  /** What happened to the key. */
  readonly action: Exclude<Action, "get">;
  /** The node after the change, or the removed node. */
  readonly node: EtcdNode | RemovedNode;
  /** The node before the change; absent if there was none. */
  readonly prevNode?: EtcdNode | undefined;
  /** Whether it is a refresh, or another change of the TTL alone, which watches do not deliver. */
  readonly refresh?: true | undefined;
  /**
   * The key that was written, if it is another one: a directory above that was removed or has another
   * TTL, or a node below that was created together with this directory.
   */
  readonly by?: string | undefined;
}
