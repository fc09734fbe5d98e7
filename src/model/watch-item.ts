import type { EtcdResponse } from "./response.js";

/** A change of the watched key, or below it: the event as etcd tells it. */
export interface WatchChange {
  readonly type: "change";
  readonly response: EtcdResponse;
}

/** The state as a whole, where changes alone cannot tell it. What was known before is void. */
export interface WatchResync {
  readonly type: "resync";
  /**
   * Why the state is delivered.
   *
   * - `initial`: the option `initial` requests the state at the beginning.
   * - `history-cleared`: more happened while disconnected than etcd remembers.
   * - `cluster-changed`: another cluster responds, and its indexes are not comparable.
   * - `slow-consumer`: more changes waited than the buffer holds.
   */
  readonly reason: "initial" | "history-cleared" | "cluster-changed" | "slow-consumer";
  /** The linearizable read; `null` when there is no such key. */
  readonly response: EtcdResponse | null;
  /** Index of the read: changes up to it are contained, those after it follow. */
  readonly index: number;
  readonly etcdClusterId: string;
}

/** What a watch tells. */
export type WatchItem = WatchChange | WatchResync;
