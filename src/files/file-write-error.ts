/** A file could not be written. */
export class FileWriteError extends Error {
  override readonly name = "FileWriteError";
  /** The system's error code, e.g. `ENOSPC`, if the system refused. */
  readonly code: string | undefined;

  /** @param remains the current content and, if known, what to do */
  constructor(path: string, reason: string, remains: string, cause?: unknown) {
    super(`file ${path} cannot be written: ${reason}; ${remains}`, { cause });
    this.code = codeOf(cause);
  }
}

/** The system's code of an error, e.g. `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
