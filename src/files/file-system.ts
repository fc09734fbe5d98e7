import * as promises from "node:fs/promises";

/** The operations by which files are written. Tests put failures in their place. */
export type FileSystem = Pick<
  typeof promises,
  "lstat" | "open" | "readdir" | "realpath" | "rename" | "unlink"
>;

export const systemFiles: FileSystem = promises;
