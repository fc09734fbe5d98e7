import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import type { FileSystem } from "./file-system.js";

/** A name beside a file under which its new content is written. Nobody else has it. */
export function temporaryPath(path: string): string {
  return `${path}.${randomBytes(8).toString("hex")}.tmp`;
}

/**
 * Removes what processes that were killed have left beside a file. What cannot be removed stays.
 *
 * @param age milliseconds since the last write: another process may be writing the younger ones
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
