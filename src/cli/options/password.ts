import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Prompts for a password without echo on a terminal; else reads a line of standard input. */
export async function askPassword(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: stdin.isTTY });
  try {
    return await firstLine(lines);
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write("\n");
  }
}

function firstLine(lines: ReturnType<typeof createInterface>): Promise<string> {
  return new Promise((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("SIGINT", () => reject(new Error("no password was given")));
    lines.once("close", () => reject(new Error("no password was given; use --password-file")));
  });
}
