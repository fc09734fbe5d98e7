import { createHash } from "node:crypto";
import type { CallOptions, KeySpace } from "../../key-space/key-space.js";
import { type Loss, lossOf } from "../compare/loss.js";
import { Losses } from "../compare/losses.js";
import { unnamedOf } from "../source/listing.js";
import { isReplaced } from "../source/replaced-text.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { entriesOf, type WalkOptions, walkDirectories } from "../source/walk-tree.js";
import { headerOf, lineOf } from "./export-format.js";

/** What is exported: a key space, or a client. */
type Exported = Pick<KeySpace, "execute" | "unnamedKeys">;

export interface ExportOptions extends WalkOptions {
  /**
   * Leave out keys that are not UTF-8, and write values that are not as the source shows them.
   *
   * @default false: such an export ends with an error
   */
  readonly lossy?: boolean;
  /** Told of each node that is not exported as it is. */
  readonly onLoss?: (loss: Loss) => void;
}

/**
 * A tree as the text of an export, in pieces of a directory each. `keys` are its top, and the hidden
 * keys below it that are to be taken along, which etcd does not list.
 *
 * @throws KeyNotFoundError when one of `keys` does not exist
 * @throws TransferRefusedError for keys and values that are not UTF-8, unless `lossy`
 */
export async function* exportTree(
  source: Exported,
  keys: readonly [string, ...string[]],
  { lossy = false, onLoss, ...options }: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  const hash = createHash("sha256");
  const losses = new Losses(lossy, onLoss);
  let entries = 0;
  let isFirst = true;
  await findUnnamed(source, keys[0], losses, options);
  for (const key of keys) {
    let isTop = true;
    for await (const answer of walkDirectories(source, key, options)) {
      const found = await exportable(source, entriesOf(answer, isTop), losses, options);
      const header = isFirst
        ? [lineOf(headerOf(answer.etcdClusterId, answer.etcdIndex, keys))]
        : [];
      const piece = [...header, ...found.map(lineOf)].join("");
      [isTop, isFirst, entries] = [false, false, entries + found.length];
      hash.update(piece);
      yield piece;
    }
  }
  yield lineOf({ entries, sha256: hash.digest("hex") });
}

async function findUnnamed(
  source: Exported,
  key: string,
  losses: Losses,
  options: CallOptions,
): Promise<void> {
  for await (const unnamed of source.unnamedKeys?.(key, options) ?? []) {
    losses.find(lossOf(unnamed, "unnamed"));
  }
  losses.refuse();
}

/** The entries without those whose keys are not UTF-8. */
async function exportable(
  source: Exported,
  entries: readonly TreeEntry[],
  losses: Losses,
  options: CallOptions,
): Promise<readonly TreeEntry[]> {
  const keys = entries.map(({ key }) => key);
  const unnamed = await unnamedOf(source, keys, options);
  for (const key of unnamed) losses.find(lossOf(key, "unnamed"));
  const named = entries.filter(({ key }) => !unnamed.has(key));
  for (const { key, value = "" } of named) {
    if (isReplaced(value)) losses.find(lossOf(key, "replaced"));
  }
  losses.refuse();
  return named;
}
