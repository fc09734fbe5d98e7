import type { CallOptions } from "../../key-space/key-space.js";
import type { Loss } from "../compare/loss.js";
import type { SourceAndTarget } from "../source/source-and-target.js";
import type { MigrationProgress } from "./migration-progress.js";

/** Options of `migrate`. */
export interface MigrateOptions extends SourceAndTarget, CallOptions {
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
   * Go on although the target cannot have everything as it is in the source: keys that it cannot
   * have are left out, and values that are not UTF-8 are written as the source shows them, with
   * U+FFFD. Each is told to `onLoss`.
   *
   * @default false: to end before anything is written
   */
  readonly lossy?: boolean;
  /** Told once of each node that the target cannot have as it is in the source. */
  readonly onLoss?: (loss: Loss) => void;
  /**
   * Most nodes that are written in a second.
   *
   * @default no limit
   */
  readonly rate?: number;
  /** Told after every step how far it is. */
  readonly onProgress?: (progress: MigrationProgress) => void;
}
