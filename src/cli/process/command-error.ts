/** A failure of which a command has already said all there is to say. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
