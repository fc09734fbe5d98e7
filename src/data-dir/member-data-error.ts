/** The files of a member cannot be used. Nothing was changed. */
export class MemberDataError extends Error {
  override readonly name = "MemberDataError";
}

/** A file of a member is damaged at an offset, in bytes. */
export class DamagedFileError extends MemberDataError {
  constructor(file: string, offset: number, problem: string, cause?: unknown) {
    super(`${file} is damaged at byte ${offset}: ${problem}`, { cause });
  }
}
