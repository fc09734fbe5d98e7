import { InvalidArgumentError } from "commander";
import { MAX_TIMER_MS } from "../../time/clock.js";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/gy;

/** Parses a duration in Go's notation, e.g. `500ms`, `2s`, `1m30s`. Returns milliseconds. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(PART)];
  if (text === "" || parts.map(([part]) => part).join("") !== text) {
    throw new InvalidArgumentError("It must be a duration such as 500ms, 2s or 1m30s.");
  }
  const milliseconds = parts.map(
    ([, count, unit = ""]) => Number(count) * (MILLISECONDS[unit] ?? 0),
  );
  const total = Math.round(milliseconds.reduce((sum, part) => sum + part, 0));
  if (total > MAX_TIMER_MS) throw new InvalidArgumentError("It must be at most 596h.");
  return total;
}
