import type { CallOptions } from "../key-space/call-options.js";

/** Options of reads. */
export interface GetOptions extends CallOptions {
  /**
   * List the whole subtree of a directory instead of one level.
   *
   * @default false
   */
  readonly recursive?: boolean | undefined;
  /**
   * Order children by the bytes of their keys at every level. Without it etcd's order is random.
   *
   * @default false
   */
  readonly sorted?: boolean | undefined;
  /**
   * Linearizable read, through the leader; `false`: the member's own state, which may be stale.
   *
   * @default as the client's option `consistency` says
   */
  readonly quorum?: boolean | undefined;
}

/** Options of `getNode` and `getNodeValue` together. */
export interface IgnoreKeyNotFound {
  /**
   * Answer `null` instead of throwing `KeyNotFoundError`.
   *
   * @default false
   */
  readonly ignoreKeyNotFound?: boolean | undefined;
}

/** Requests a response without nodes, an `EtcdReceipt`; see {@link FileOptions.noValueOnSuccess}. */
export interface NoValueOnSuccess {
  readonly noValueOnSuccess: true;
}

/** Options of writes of a file. */
export interface FileOptions extends CallOptions {
  /**
   * Whole seconds until the node expires; 0 expires at once. Absent: it stays for ever, and loses
   * the TTL that it may have had.
   */
  readonly ttl?: number | undefined;
  /**
   * Spare the answer's nodes: it is an `EtcdReceipt`. etcd 2.3 sends them all the same.
   *
   * @default false
   */
  readonly noValueOnSuccess?: boolean | undefined;
  readonly dir?: false | undefined;
}

/** Options of writes of a directory. */
export interface DirectoryOptions extends CallOptions {
  readonly dir: true;
  /** Whole seconds until the directory expires with all that is in it. Absent: for ever. */
  readonly ttl?: number | undefined;
}

/** Options of writes, of a file or a directory. */
export interface WriteOptions extends CallOptions {
  readonly dir?: boolean | undefined;
  readonly ttl?: number | undefined;
  readonly noValueOnSuccess?: boolean | undefined;
}

/** Options of `refreshNode`. */
export interface RefreshOptions extends CallOptions {
  /** Refresh only while the node has this value. */
  readonly prevValue?: string | undefined;
  /** Refresh only while the node has this `modifiedIndex`, which every refresh moves on. */
  readonly prevIndex?: number | undefined;
  readonly noValueOnSuccess?: boolean | undefined;
}

/** Options of `compareAndSwapNode`. */
export type SwapOptions = Omit<FileOptions, "dir">;

/** Options of `deleteNode`. */
export interface DeleteOptions extends CallOptions {
  /**
   * Delete the node also when it is a directory, if it is empty.
   *
   * @default false
   */
  readonly dir?: boolean | undefined;
  /**
   * Delete the node also when it is a directory, with everything in it.
   *
   * @default false
   */
  readonly recursive?: boolean | undefined;
}

/** Options of `watchNode`. */
export interface WatchNodeOptions extends CallOptions {
  /**
   * Include everything below the key, but for hidden keys (`_…`).
   *
   * @default false
   */
  readonly recursive?: boolean | undefined;
  /**
   * First index of interest, itself included: usually one more than the last index seen. Absent:
   * whatever comes after the watch began, which a write sent right after this call may be too early
   * for, as it goes by another connection.
   */
  readonly waitIndex?: number | undefined;
}
