import { createHash } from "node:crypto";
import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { type Loss, lossOf } from "../compare/loss.js";
import { Losses } from "../compare/losses.js";
import { unnamedOf } from "../source/listing.js";
import { isReplaced } from "../source/replaced-text.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { entriesOf, type WalkOptions, walkDirectories } from "../source/walk-tree.js";
import { exportHeaderOf, exportLineOf } from "./export-format.js";

/** The tree to export: a key space, or a client. */
type Exported = Pick<KeySpace, "execute" | "unnamedKeys">;

export interface ExportOptions extends WalkOptions {
  /**
   * Leave out keys that are not UTF-8. Write values that are not UTF-8 as the source shows them.
   *
   * @default false: throw an error for them
   */
  readonly lossy?: boolean;
  /** Called for each node that is not exported unchanged. */
  readonly onLoss?: (loss: Loss) => void;
  /** Called repeatedly with the number of nodes that were exported. */
  readonly onProgress?: (exported: number) => void;
}

/**
 * Yields the text of an export, one directory at a time. `keys` are the top of the tree, and the
 * hidden keys below it to include, because etcd does not list them.
 *
 * @throws KeyNotFoundError when one of `keys` does not exist
 * @throws TransferRefusedError for keys and values that are not UTF-8, unless `lossy`
 */
export async function* exportTree(
  source: Exported,
  keys: readonly [string, ...string[]],
  { lossy = false, onLoss, onProgress, ...options }: ExportOptions = {},
): AsyncGenerator<string, void, undefined> {
  const hash = createHash("sha256");
  const losses = new Losses(lossy, onLoss);
  let entries = 0;
  let isFirst = true;
  await recordUnnamed(source, keys[0], losses, options);
  for (const key of keys) {
    let isTop = true;
    for await (const response of walkDirectories(source, key, options)) {
      const found = await exportableEntries(source, entriesOf(response, isTop), losses, options);
      const { etcdClusterId: clusterId, etcdIndex: index } = response;
      const header = isFirst ? [exportLineOf(exportHeaderOf({ clusterId, index, keys }))] : [];
      const piece = [...header, ...found.map(exportLineOf)].join("");
      [isTop, isFirst, entries] = [false, false, entries + found.length];
      hash.update(piece);
      yield piece;
      onProgress?.(entries);
    }
  }
  yield exportLineOf({ entries, sha256: hash.digest("hex") });
}

async function recordUnnamed(
  source: Exported,
  key: string,
  losses: Losses,
  options: CallOptions,
): Promise<void> {
  for await (const unnamed of source.unnamedKeys?.(key, options) ?? []) {
    losses.record(lossOf(unnamed, "unnamed"));
  }
  losses.check();
}

/** The entries whose keys are UTF-8. */
async function exportableEntries(
  source: Exported,
  entries: readonly TreeEntry[],
  losses: Losses,
  options: CallOptions,
): Promise<readonly TreeEntry[]> {
  const keys = entries.map(({ key }) => key);
  const unnamed = await unnamedOf(source, keys, options);
  for (const key of unnamed) losses.record(lossOf(key, "unnamed"));
  const named = entries.filter(({ key }) => !unnamed.has(key));
  for (const { key, value = "" } of named) {
    if (isReplaced(value)) losses.record(lossOf(key, "replaced"));
  }
  losses.check();
  return named;
}
