/** A failure whose message is printed without a prefix. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
