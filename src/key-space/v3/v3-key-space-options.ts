import type { Clock } from "../../time/clock.js";
import type { StoreGeneration } from "./schema/store-generation.js";

/** Options of a `V3KeySpace`. */
export interface V3KeySpaceOptions {
  /**
   * Prefix of every key of the tree in the v3 key space.
   *
   * @default "", so that `/a` is the key `/a`
   */
  readonly keyPrefix?: string;
  /**
   * Clock of the TTLs.
   *
   * @default the system clock
   */
  readonly clock?: Clock;
  /**
   * Timeout of one request with all its calls of the v3 API, in milliseconds. Then an unknown outcome of a
   * write is no longer resolved.
   *
   * @default 30000
   */
  readonly timeout?: number;
  /**
   * Whether a watch without `stream` returns one event, as long polls over HTTP must, even when one
   * transaction of another client changed several keys. The next poll then gets error 401.
   * Otherwise such a watch returns all events of the same index.
   *
   * @default false
   */
  readonly oneEventPerPoll?: boolean;
  /**
   * Milliseconds for which etcd is still watched after the last watch has ended, so that the next
   * one starts faster. The process does not exit during this time.
   *
   * @default 1000
   */
  readonly idleTimeout?: number;
  /**
   * Milliseconds of silence after which the watch on etcd is opened again, in case its connection
   * is dead.
   *
   * @default 60000
   */
  readonly pollInterval?: number;
  /**
   * Recognizes a replaced store. Share it between key spaces on the same cluster, so that one
   * notices what another one detects.
   *
   * @default a new one
   */
  readonly generation?: StoreGeneration;
  /**
   * Whether reads ask etcd for the TTL of each lease, once for each. Otherwise the TTLs that they show depend on the clocks of
   * the writer and the reader. No key ends early in either case.
   *
   * @default false
   */
  readonly asksForTtls?: boolean;
  /**
   * Whether every write leaves an idempotency record, so that an unknown outcome is resolved.
   *
   * @default false: only writes with an `idempotencyKey`
   */
  readonly recordsWrites?: boolean;
}
