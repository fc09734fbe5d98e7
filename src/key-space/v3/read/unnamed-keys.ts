import { type Bytes, readPage } from "../../../etcd3/transaction.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { utf8TextOf } from "../schema/key-schema.js";
import type { V3Tree } from "../schema/v3-tree.js";
import { keyAfter } from "./page-reader.js";

/** Number of keys per read. */
const PAGE_SIZE = 10_000;

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
  const { key: start, range_end } = schema.filesBelow(path);
  const files = new OpenFiles();
  let key: Bytes = start;
  for (;;) {
    const { results } = await tree.read(
      [readPage({ key, range_end }, PAGE_SIZE, { keys_only: true })],
      call,
    );
    const [{ kvs, more } = { kvs: [], more: false }] = results;
    for (const kv of kvs) {
      if (schema.decode(kv.key) === undefined || !files.add(kv.key.toString("latin1"))) {
        yield textOf(kv.key.subarray(Buffer.byteLength(schema.filePrefix)));
      }
    }
    const last = kvs.at(-1);
    if (!more || last === undefined) return;
    key = keyAfter(last.key);
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
