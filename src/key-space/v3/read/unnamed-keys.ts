import type { V3Call } from "../../../etcd3/v3-api.js";
import { utf8TextOf } from "../schema/key-schema.js";
import type { V3Tree } from "../schema/v3-tree.js";
import { allKeys } from "./all-keys.js";

/**
 * v3 keys below a path that no v2 request can name: they are not UTF-8, have an empty, `.` or `..`
 * segment, a zero character or too many levels, or are below a key with a value. Bytes that are not
 * UTF-8 are written as `\xff`.
 */
export async function* unnamedKeys(
  tree: V3Tree,
  path: string,
  call: V3Call,
): AsyncGenerator<string, void, undefined> {
  const { schema } = tree;
  const files = new OpenFiles();
  for await (const key of allKeys(tree, schema.filesBelow(path), call)) {
    if (schema.decode(key) === undefined || !files.add(key.toString("latin1"))) {
      yield textOf(key.subarray(Buffer.byteLength(schema.filePrefix)));
    }
  }
}

/** The files that can be ancestors of the following keys, in byte order. */
class OpenFiles {
  readonly #keys: string[] = [];

  /** Whether no file is an ancestor of the key. Each character is a byte. */
  add(key: string): boolean {
    let last = this.#keys.at(-1);
    // `0` is the character after `/`.
    while (last !== undefined && key >= `${last}0`) {
      this.#keys.pop();
      last = this.#keys.at(-1);
    }
    if (this.#keys.some((file) => key.startsWith(`${file}/`))) return false;
    this.#keys.push(key);
    return true;
  }
}

function textOf(bytes: Buffer): string {
  return (
    utf8TextOf(bytes) ??
    bytes
      .toString("latin1")
      .replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`)
  );
}
