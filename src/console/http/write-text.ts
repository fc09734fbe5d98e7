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

/** Milliseconds between two lines about progress. */
const PROGRESS_INTERVAL_MS = 100;

/** Limits how often a line about progress is sent. @returns tells whether one is due */
export function progressPace(): () => boolean {
  let reportedAt = 0;
  return () => {
    const now = performance.now();
    if (now - reportedAt < PROGRESS_INTERVAL_MS) return false;
    reportedAt = now;
    return true;
  };
}

/** Begins a response of JSON lines. @returns a function that sends one */
export function lineSender<T>(response: ServerResponse): (line: T) => Promise<void> {
  response.writeHead(200, {
    "Content-Type": "application/x-ndjson; charset=utf-8",
    "Cache-Control": "no-store",
  });
  return (line) => writeText(response, `${JSON.stringify(line)}\n`);
}
