import type { ServerResponse } from "node:http";

/** Writes a text; waits while the page does not read. */
export async function writeText(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed || response.write(text)) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/** Begins a response of JSON lines. @returns a function that sends one */
export function lineSender<T>(response: ServerResponse): (line: T) => Promise<void> {
  response.writeHead(200, {
    "Content-Type": "application/x-ndjson; charset=utf-8",
    "Cache-Control": "no-store",
  });
  return (line) => writeText(response, `${JSON.stringify(line)}\n`);
}
