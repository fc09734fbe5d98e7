import type { Clock } from "../../time/clock.js";
import type { StoreGeneration } from "./schema/store-generation.js";

/** Options of a `V3KeySpace`. */
export interface V3KeySpaceOptions {
  /**
   * What stands before every key of the tree in v3's key space.
   *
   * @default "", so that `/a` is the key `/a`
   */
  readonly keyPrefix?: string;
  /**
   * What tells the time for TTLs.
   *
   * @default this process's clock
   */
  readonly clock?: Clock;
  /**
   * Whether a watch that does not stream yields one event, as HTTP's long polls must, even where
   * others have changed several keys in one transaction; the next one is then told 401. Without it,
   * such a watch yields all events of the same index.
   *
   * @default false
   */
  readonly oneEventPerPoll?: boolean;
  /**
   * Milliseconds for which etcd is still watched after the last watch has ended, so that the next
   * one finds everything ready. The process does not end by itself meanwhile.
   *
   * @default 1000
   */
  readonly idleTimeout?: number;
  /**
   * Milliseconds of silence after which the watch on etcd is opened anew, lest its connection be
   * dead.
   *
   * @default 60000
   */
  readonly pollInterval?: number;
  /**
   * Which store answers: shared by key spaces on the same cluster, so that each notices what another
   * one learns.
   *
   * @default one of its own
   */
  readonly generation?: StoreGeneration;
}
