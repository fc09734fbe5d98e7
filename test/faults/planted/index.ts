/** A bug that a run must find: a text of one file of the product, and what takes its place. */
export interface Plant {
  /** Path from the folder of the clone. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const plants: Readonly<Record<string, Plant>> = {};
