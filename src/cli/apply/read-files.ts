import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { parseTree } from "./parse-tree.js";
import { WantedTree } from "./wanted-tree.js";

/** Larger files take gigabytes of memory. */
const MAX_FILE_BYTES = 32 * 2 ** 20;

const EXTENSIONS: ReadonlySet<string> = new Set([".yaml", ".yml", ".json"]);

/**
 * Reads files, and the files of directories in the order of their names. `-` is standard input.
 *
 * @throws Error naming the file
 */
export async function readFiles(names: readonly string[]): Promise<WantedTree> {
  const tree = new WantedTree();
  for (const name of names) {
    if (name === "-") parse("standard input", await buffer(process.stdin), tree);
    else for (const file of await filesOf(name)) parse(file, await bytesOf(file), tree);
  }
  if (tree.size === 0) throw new Error(`${names.join(", ")}: no keys; nothing was written`);
  return tree;
}

function parse(name: string, bytes: Buffer, tree: WantedTree): void {
  if (bytes.length > MAX_FILE_BYTES) {
    throw new Error(`${name}: is larger than ${MAX_FILE_BYTES / 2 ** 20} MiB; split it`);
  }
  parseTree(name, utf8(name, bytes), tree);
}

function utf8(name: string, bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${name}: is not UTF-8`, { cause });
  }
}

async function bytesOf(file: string): Promise<Buffer> {
  const { size } = await stat(file);
  if (size > MAX_FILE_BYTES) {
    throw new Error(`${file}: is larger than ${MAX_FILE_BYTES / 2 ** 20} MiB; split it`);
  }
  return readFile(file);
}

/** The file itself, or those of a directory. Names that begin with a dot are skipped. */
async function filesOf(name: string): Promise<readonly string[]> {
  if (!(await stat(name)).isDirectory()) return [name];
  const files = await filesBelow(name);
  if (files.length > 0) return files;
  throw new Error(`${name}: has no files with the extension ${[...EXTENSIONS].join(", ")}`);
}

async function filesBelow(directory: string): Promise<readonly string[]> {
  const files: string[] = [];
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.name.startsWith(".")) continue;
    // A link to a directory is not followed: it may lead back.
    if (entry.isDirectory()) files.push(...(await filesBelow(path)));
    else if (EXTENSIONS.has(extname(entry.name)) && (await stat(path)).isFile()) files.push(path);
  }
  return files;
}
