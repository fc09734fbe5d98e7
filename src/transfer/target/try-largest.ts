import type { CallOptions } from "../../key-space/call-options.js";
import type { LargeValue } from "../compare/check-source.js";
import type { Tree } from "../compare/compare-trees.js";
import { isValueTooLarge } from "../compare/is-value-too-large.js";
import { tooLarge } from "../compare/loss.js";
import type { Losses } from "../compare/losses.js";
import { list } from "../source/listing.js";
import { NodeWriter } from "./node-writer.js";

/** A hidden key next to the record of the migration. */
const TRIAL_KEY = "/_etcdnet_migration_trial";

/**
 * Writes the largest values to a hidden key and removes it, because no request returns the limit of a
 * server.
 *
 * @throws TransferRefusedError when the target refuses a value, and losses are not allowed
 */
export async function tryLargest(
  largest: readonly LargeValue[],
  source: Tree,
  target: Tree,
  losses: Losses,
  options: CallOptions,
): Promise<void> {
  for (const { key } of largest) {
    const { self } = await list(source, key, options);
    if (self?.value === undefined) continue;
    try {
      await target.execute({ action: "set", key: TRIAL_KEY, value: self.value }, options);
      await new NodeWriter(target, options).removeFile(TRIAL_KEY);
      break;
    } catch (error) {
      if (!isValueTooLarge(error)) throw error;
      losses.record(tooLarge(key, error));
    }
  }
  losses.check();
}
