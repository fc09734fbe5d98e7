/** Writes lines to standard output, in one write. */
export function print(...lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
}

/** Writes a message, which is not data, to standard error. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
