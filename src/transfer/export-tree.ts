import { createHash } from "node:crypto";
import { headerOf, lineOf } from "./export-format.js";
import { entriesOf, type Source, type WalkOptions, walkDirectories } from "./walk-tree.js";

/**
 * A tree as the text of an export, in pieces of a directory each. `keys` are its top, and the hidden
 * keys below it that are to be taken along, which etcd does not list.
 *
 * @throws KeyNotFoundError when one of `keys` does not exist
 */
export async function* exportTree(
  source: Source,
  keys: readonly [string, ...string[]],
  options?: WalkOptions,
): AsyncGenerator<string, void, undefined> {
  const hash = createHash("sha256");
  let entries = 0;
  let isFirst = true;
  for (const key of keys) {
    let isTop = true;
    for await (const answer of walkDirectories(source, key, options)) {
      const found: readonly string[] = entriesOf(answer, isTop).map(lineOf);
      const header = isFirst
        ? [lineOf(headerOf(answer.etcdClusterId, answer.etcdIndex, keys))]
        : [];
      const piece = [...header, ...found].join("");
      [isTop, isFirst, entries] = [false, false, entries + found.length];
      hash.update(piece);
      yield piece;
    }
  }
  yield lineOf({ entries, sha256: hash.digest("hex") });
}
