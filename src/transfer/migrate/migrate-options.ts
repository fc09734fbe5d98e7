import type { CallOptions } from "../../key-space/call-options.js";
import type { Loss } from "../compare/loss.js";
import type { SourceAndTarget } from "../source/source-and-target.js";
import type { MigrationProgress } from "./migration-progress.js";

/** Options of `migrate`. */
export interface MigrateOptions extends SourceAndTarget, CallOptions {
  /**
   * After the copy, continue to copy changes and to renew TTLs until this signal aborts. Then
   * everything is compared again, and differences are copied, because refreshes of TTLs cause no
   * events.
   *
   * @default ends when everything was copied
   */
  readonly until?: AbortSignal | undefined;
  /**
   * Allow a target that has other data. It becomes equal to the source: nodes that the source does
   * not have are removed.
   *
   * @default false
   */
  readonly overwrite?: boolean | undefined;
  /**
   * Migrate even if the target cannot store everything unchanged. Keys that it cannot store are left
   * out. Values that are not UTF-8 are written as the source shows them, with U+FFFD. Each loss is
   * reported to `onLoss`.
   *
   * @default false: refuse before the first write
   */
  readonly lossy?: boolean | undefined;
  /** Called once for each node that the target cannot store unchanged. */
  readonly onLoss?: ((loss: Loss) => void) | undefined;
  /**
   * Maximum number of nodes to write per second.
   *
   * @default no limit
   */
  readonly rate?: number | undefined;
  /** Called with the progress after each step. */
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
}
