import type { CallOptions } from "../key-space/key-space.js";
import type { MigrationProgress } from "./migration-progress.js";
import type { Sides } from "./sides.js";

/** Options of `migrate`. */
export interface MigrateOptions extends Sides, CallOptions {
  /**
   * Go on after everything was copied, bringing over what changes and keeping TTLs alive, until this
   * signal aborts. Then everything is compared once more, and what differs is brought over: etcd
   * tells nobody of refreshes.
   *
   * @default to end when everything was copied
   */
  readonly until?: AbortSignal;
  /**
   * Take a target that has other data: it becomes what the source is, and what the source does not
   * have is removed.
   *
   * @default false
   */
  readonly overwrite?: boolean;
  /**
   * Most nodes that are written in a second.
   *
   * @default no limit
   */
  readonly rate?: number;
  /** Told after every step how far it is. */
  readonly onProgress?: (progress: MigrationProgress) => void;
}
