import { InvalidArgumentError } from "commander";

const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** The value of a switch in Go's notation; `undefined` for another text. */
export function switchOf(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

/** Parses the value of a switch. */
export function parseSwitch(text: string): boolean {
  const value = switchOf(text);
  if (value === undefined) throw new InvalidArgumentError("It must be true or false.");
  return value;
}
