/** Writes lines to standard output, as one piece. */
export function print(...lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
}

/** Says on standard error what is worth knowing but is no data. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
