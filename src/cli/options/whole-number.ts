import { InvalidArgumentError } from "commander";

/** Parses a whole number, 0 or more, such as a TTL in seconds or an index. */
export function parseWholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError(
    /^\d+$/.test(text) ? "It is too large." : "It must be a whole number, 0 or more.",
  );
}

/** Parses a whole number, 1 or more. */
export function parsePositive(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  const number = parseWholeNumber(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("It must be 1 or more.");
}
