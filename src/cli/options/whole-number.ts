import { InvalidArgumentError } from "commander";

/** An option's value that is 0 or more, such as a TTL in seconds or an index. */
export function parseWholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("It must be a whole number, 0 or more.");
}

/** An option's value that is 1 or more. */
export function parsePositive(text: string): number {
  const number = parseWholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("It must be 1 or more.");
}
