/** The progress of a migration. */
export interface MigrationProgress {
  /**
   * `checking`: the source is read, and nothing is written. `copying`: nodes are compared and copied.
   * `verifying`: everything is compared again. `following`: everything was compared, and changes are
   * copied as they happen.
   */
  readonly phase: "checking" | "copying" | "verifying" | "following";
  /** The completed part of the phase, from 0 to 1. It is unknown in `checking`, and 0 there. */
  readonly share: number;
  /** Nodes of the source that this phase has compared; at the end, those found in the target. */
  readonly compared: number;
  /** Nodes of the source when it was checked. */
  readonly total: number;
  /** Nodes that were written or removed. */
  readonly written: number;
  /** Nodes that the source changed before each comparison, so that they were never found equal. */
  readonly changing: number;
  /** Nodes that the target cannot store unchanged: they were left out, or contain U+FFFD. */
  readonly lost: number;
  /** Changed keys that are not copied yet. */
  readonly waiting: number;
  /** Index of the source up to which all changes are known. */
  readonly index: number;
  /** Milliseconds since the start of the migration. */
  readonly elapsed: number;
}
