/** A file that could not be written. */
export class FileWriteError extends Error {
  override readonly name = "FileWriteError";
  /** That of the system, e.g. `ENOSPC`, if it was the system that refused. */
  readonly code: string | undefined;

  /** @param remains what is in place now, and what to do where that is known */
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
