/** How far a migration is. */
export interface MigrationProgress {
  /**
   * `checking`: the source is read, and nothing is written; `copying`: not everything was brought
   * over yet; `verifying`: everything is compared once more; `following`: everything was compared,
   * and changes are brought over as they come.
   */
  readonly phase: "checking" | "copying" | "verifying" | "following";
  /** How much of the phase is done, from 0 to 1; of `checking`, that is not known. */
  readonly share: number;
  /** Nodes of the source that this phase has looked at; at the end, that were found in the target. */
  readonly compared: number;
  /** Nodes that the source had when it was checked. */
  readonly total: number;
  /** Nodes that were written or removed. */
  readonly written: number;
  /** Nodes that the source changed at each comparison, and that were therefore never seen the same. */
  readonly changing: number;
  /** Nodes that the target cannot have as they are: they were left out, or hold U+FFFD. */
  readonly lost: number;
  /** Keys that changed and wait to be brought over. */
  readonly waiting: number;
  /** Index of the source up to which all changes are known. */
  readonly index: number;
  /** Milliseconds since the migration began. */
  readonly elapsed: number;
}
