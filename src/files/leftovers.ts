import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { FileSystem } from "./file-system.js";

/** A unique name beside a file, for its new content. */
export function temporaryPath(path: string): string {
  return `${path}.${randomBytes(8).toString("hex")}.tmp`;
}

/**
 * Removes temporary files that killed processes have left. Ignores failures.
 *
 * @param age minimum milliseconds since the last write: another process may be writing newer ones
 */
export async function removeLeftovers(path: string, age: number, fs: FileSystem): Promise<void> {
  const directory = dirname(path);
  const start = `${basename(path)}.`;
  const names = await fs.readdir(directory).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(start) || !/^[\da-f]{16}\.tmp$/.test(name.slice(start.length))) continue;
    const leftover = join(directory, name);
    const found = await fs.lstat(leftover).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < age) continue;
    await fs.unlink(leftover).catch(() => {});
  }
}
