/** Splits a stream of text into lines at line feeds. The last line may lack one. */
export async function* textLines(
  pieces: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let partial = "";
  for await (const piece of pieces) {
    const lines = piece.split("\n");
    lines[0] = partial + lines[0];
    partial = lines.pop() ?? "";
    yield* lines;
  }
  if (partial !== "") yield partial;
}
