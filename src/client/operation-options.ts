import type { CallOptions } from "../key-space/call-options.js";

/** Options of reads. */
export interface GetOptions extends CallOptions {
  /**
   * List the complete subtree of a directory instead of one level.
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
   * `true`: a linearizable read, through the leader. `false`: a read of the member's own state, which
   * may be stale.
   *
   * @default the value that the client's option `consistency` implies
   */
  readonly quorum?: boolean | undefined;
}

/** An option of all writes. */
export interface IdempotencyOptions extends CallOptions {
  /**
   * Only with `api: "v3"`. Identifies the write: it is carried out at most once, however often it is
   * sent with this key, also by other processes. For at least an hour, the same write with the same
   * key returns the outcome of the first one. 1 to 256 characters; the keys of all clients of a tree
   * are in one space, so use a random one such as `crypto.randomUUID()`.
   *
   * Another write with the same key rejects with an `OptionError`.
   */
  readonly idempotencyKey?: string | undefined;
}

/** An option of `getNode`, `getNodeValue` and `deleteNode`. */
export interface IgnoreKeyNotFound {
  /**
   * Return `null` instead of throwing `KeyNotFoundError`.
   *
   * @default false
   */
  readonly ignoreKeyNotFound?: boolean | undefined;
}

/** Requests a response without nodes, an `EtcdReceipt`; see {@link FileOptions.noValueOnSuccess}. */
export interface NoValueOnSuccess {
  readonly noValueOnSuccess: true;
}

/** Options of a write of a file. */
export interface FileOptions extends IdempotencyOptions {
  /**
   * Time to live of the node, in whole seconds; 0 expires immediately. Absent: the node does not
   * expire, even if it had a TTL before.
   */
  readonly ttl?: number | undefined;
  /**
   * Omit `node` and `prevNode` from the response, which is then an `EtcdReceipt`. etcd 2.3 ignores
   * this option and sends them.
   *
   * @default false
   */
  readonly noValueOnSuccess?: boolean | undefined;
  readonly dir?: false | undefined;
}

/** Options of a write of a directory. */
export interface DirectoryOptions extends IdempotencyOptions {
  readonly dir: true;
  /**
   * Time to live of the directory and everything in it, in whole seconds. Absent: it does not expire,
   * even if it had a TTL before.
   */
  readonly ttl?: number | undefined;
}

/** Options of a write of a file or a directory. */
export interface WriteOptions extends IdempotencyOptions {
  readonly dir?: boolean | undefined;
  readonly ttl?: number | undefined;
  readonly noValueOnSuccess?: boolean | undefined;
}

/** Options of `refreshNode`. */
export interface RefreshOptions extends IdempotencyOptions {
  /** Refresh only if the node has this value. */
  readonly prevValue?: string | undefined;
  /** Refresh only if the node has this `modifiedIndex`. Each refresh increases it. */
  readonly prevIndex?: number | undefined;
  readonly noValueOnSuccess?: boolean | undefined;
}

/** Options of `compareAndSwapNode`. */
export type SwapOptions = Omit<FileOptions, "dir">;

/** Options of `deleteNode`. */
export interface DeleteOptions extends IdempotencyOptions {
  /**
   * Also delete an empty directory.
   *
   * @default false
   */
  readonly dir?: boolean | undefined;
  /**
   * Also delete a directory, with everything in it.
   *
   * @default false
   */
  readonly recursive?: boolean | undefined;
}

/** Options of `watchNode`. */
export interface WatchNodeOptions extends CallOptions {
  /**
   * Include everything below the key, except hidden keys (`_…`).
   *
   * @default false
   */
  readonly recursive?: boolean | undefined;
  /**
   * Index of the first event to return, usually the last index seen plus one. Absent: events after
   * the watch is established. A write that is sent right after this call uses another connection and
   * may be processed first. Pass `waitIndex` to avoid this race.
   */
  readonly waitIndex?: number | undefined;
}
