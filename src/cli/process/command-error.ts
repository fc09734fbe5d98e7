/** A failure whose message is printed without a prefix. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** What to do, for the line after the message. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
