import type { EtcdResponse } from "./response.js";

/** A change of the watched key, or below it: the event as etcd sends it. */
export interface WatchChange {
  readonly type: "change";
  readonly response: EtcdResponse;
}

/** The complete state, when changes alone are not enough. Discard the state known before. */
export interface WatchResync {
  readonly type: "resync";
  /**
   * Why the state is delivered.
   *
   * - `initial`: the option `initial` requests the state at the beginning.
   * - `history-cleared`: etcd has discarded changes made while the watch was disconnected.
   * - `cluster-changed`: another cluster responds, and its indexes are not comparable.
   * - `slow-consumer`: the buffer of undelivered changes overflowed.
   */
  readonly reason: "initial" | "history-cleared" | "cluster-changed" | "slow-consumer";
  /** The response of a linearizable read; `null` when the key does not exist. */
  readonly response: EtcdResponse | null;
  /** Index of the read: it contains all changes up to this index; later ones follow. */
  readonly index: number;
  readonly etcdClusterId: string;
  /** URL of the endpoint that responded. */
  readonly etcdServer: string;
}

/** An item of a watch. */
export type WatchItem = WatchChange | WatchResync;
