/** The lines of a text that comes in pieces. Only a line feed ends one; the last may lack it. */
export async function* textLines(
  pieces: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let begun = "";
  for await (const piece of pieces) {
    const lines = piece.split("\n");
    lines[0] = begun + lines[0];
    begun = lines.pop() ?? "";
    yield* lines;
  }
  if (begun !== "") yield begun;
}
