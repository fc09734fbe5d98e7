/** How far a migration is. */
export interface MigrationProgress {
  /** `copying`: not everything was brought over yet; `following`: since then, as changes come. */
  readonly phase: "copying" | "following";
  /** How much of the copy is done, from 0 to 1, as far as it can be told from what was seen of it. */
  readonly share: number;
  /** Nodes of the source that were compared with the target's while copying. */
  readonly compared: number;
  /** Nodes that were written or removed. */
  readonly written: number;
  /** Values written that hold U+FFFD, which stands for what is not UTF-8 in a v3 source. */
  readonly unreadable: number;
  /** Keys that changed and wait to be brought over. */
  readonly waiting: number;
  /** Index of the source up to which all changes are known. */
  readonly index: number;
  /** Milliseconds since the migration began. */
  readonly elapsed: number;
}
