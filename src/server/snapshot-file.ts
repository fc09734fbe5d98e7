import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { replaceFile } from "../files/replace-file.js";
import type { KeySpaceSnapshot } from "../key-space/memory/memory-key-space.js";

/** What a snapshot file holds: the keys, and in a key space of their own users and roles. */
export interface ServerSnapshot {
  readonly keys: KeySpaceSnapshot;
  readonly auth: KeySpaceSnapshot;
}

const FORMAT = "etcdnet snapshot 1";

/**
 * Reads a snapshot; nothing when there is no such file.
 *
 * @throws Error for a file that is damaged or something else; it is left as it is
 */
export async function readSnapshot(path: string): Promise<ServerSnapshot | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Error(`snapshot file ${path} cannot be read: ${error.message}`, { cause: error });
  });
  if (text === undefined) return undefined;
  const [header, content = ""] = splitOnce(text, "\n");
  if (header === headerOf(content)) return JSON.parse(content) as ServerSnapshot;
  const problem = header.startsWith(FORMAT) ? "is damaged" : "is not a snapshot of this version";
  throw new Error(
    `snapshot file ${path} ${problem}; it was left as it is: move it away to start empty`,
  );
}

/**
 * Puts a snapshot in the place of the old one.
 *
 * @throws Error when that fails; the old one is still there then
 */
export async function writeSnapshot(path: string, snapshot: ServerSnapshot): Promise<void> {
  try {
    await replaceFile(path, linesOf(snapshot));
  } catch (error) {
    throw new Error(`snapshot ${(error as Error).message}`, { cause: error });
  }
}

async function* linesOf(snapshot: ServerSnapshot): AsyncGenerator<string> {
  const content = JSON.stringify(snapshot);
  yield `${headerOf(content)}\n${content}`;
}

function headerOf(content: string): string {
  return `${FORMAT} sha256 ${createHash("sha256").update(content).digest("hex")}`;
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
