import { InvalidArgumentError } from "commander";
import { MAX_TIMER_MS } from "../../time/clock.js";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/gy;
const PLAIN = /^\d+(?:\.\d+)?$/;

/**
 * Parses a duration: a number of seconds, or Go's notation, e.g. `500ms`, `2s`, `1m30s`. Returns
 * milliseconds.
 */
export function parseDuration(text: string): number {
  const total = millisecondsOf(text);
  if (total === undefined) {
    throw new InvalidArgumentError("It must be a duration such as 500ms, 2s or 1m30s.");
  }
  if (total > MAX_TIMER_MS) throw new InvalidArgumentError("It must be at most 596h.");
  return total;
}

/** Parses a duration of whole seconds, such as a TTL. Returns seconds. */
export function parseSeconds(text: string): number {
  const seconds = (millisecondsOf(text) ?? Number.NaN) / 1_000;
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new InvalidArgumentError("It must be a whole number of seconds, such as 90, 90s or 1m30s.");
}

/** Undefined for a text that is no duration. */
function millisecondsOf(text: string): number | undefined {
  if (PLAIN.test(text)) return Math.round(Number(text) * 1_000);
  const parts = [...text.matchAll(PART)];
  if (text === "" || parts.map(([part]) => part).join("") !== text) return undefined;
  const milliseconds = parts.map(
    ([, count, unit = ""]) => Number(count) * (MILLISECONDS[unit] ?? 0),
  );
  return Math.round(milliseconds.reduce((sum, part) => sum + part, 0));
}
