import * as promises from "node:fs/promises";

/** The operations that write files. Tests replace them to inject failures. */
export type FileSystem = Pick<
  typeof promises,
  "lstat" | "open" | "readdir" | "realpath" | "rename" | "unlink"
>;

export const systemFiles: FileSystem = promises;
