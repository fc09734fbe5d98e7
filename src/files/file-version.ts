import type { Stats } from "node:fs";

/** A file that changed this recently may change again without new times. */
const SETTLE_MS = 2_000;

/**
 * Identifies the content of a file, so that a replaced file is noticed. `undefined`: the file has just changed, and
 * may change again unnoticed.
 *
 * @param now milliseconds since 1970
 */
export function fileVersion(
  { dev, ino, size, mtimeMs, ctimeMs }: Stats,
  now: number,
): string | undefined {
  if (now - mtimeMs < SETTLE_MS) return undefined;
  return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
}
