/** Writes lines to standard output in one write. */
export function print(...lines: readonly string[]): void {
  printLines(lines);
}

/** The same for any number of lines: those of a tree are too many for the arguments of a function. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
}

/** Writes a message to standard error. Standard output is only for data. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
