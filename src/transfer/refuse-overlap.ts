import { TransferRefusedError } from "../errors/migration-errors.js";
import { type DataLocation, overlap } from "../key-space/data-location.js";
import type { CallOptions, KeySpace } from "../key-space/key-space.js";
import type { Trees } from "./sides.js";
import type { Top, Tops } from "./tops.js";

/**
 * Refuses trees of which one lies in the other: a copy would never end, or would delete its source.
 *
 * @throws TransferRefusedError
 */
export async function refuseOverlap(
  trees: Trees,
  { source, target }: Tops,
  options: CallOptions,
): Promise<void> {
  if (source.clusterId === "" || source.clusterId !== target.clusterId) return;
  const first = await locate(trees.first, source, trees.firstPrefix, options);
  const second = await locate(trees.second, target, trees.secondPrefix, options);
  if (!overlap(first, second)) return;
  const again = await locate(trees.first, source, trees.firstPrefix, options);
  if (areTwoStores(first, second, again)) return;
  throw new TransferRefusedError(
    `${textOf(first, source, "source")} and ${textOf(second, target, "target")} ${relationOf(first, second)}. ` +
      "Choose a prefix of the target that lies beside the source, or another cluster",
  );
}

/** Where a tree is kept. */
export async function locate(
  keySpace: KeySpace,
  { clusterId }: Top,
  prefix: string,
  options: CallOptions,
): Promise<DataLocation> {
  return (await keySpace.locate?.("/", options)) ?? { clusterId, store: "unknown", prefix };
}

/**
 * Clusters that were started with the same URLs and token have the same id. The revision of one
 * store never decreases: reads one after the other that show a decrease come from two stores.
 */
function areTwoStores(first: DataLocation, second: DataLocation, again: DataLocation): boolean {
  const [before, between, after] = [first.revision, second.revision, again.revision];
  if (before === undefined || between === undefined || after === undefined) return false;
  return between < before || after < between;
}

function textOf({ store, prefix }: DataLocation, { endpoint }: Top, side: string): string {
  const keys = store === "unknown" ? "keys" : `${store} keys`;
  return `the ${side} (${prefix || "/"} in the ${keys} at ${endpoint})`;
}

function relationOf(first: DataLocation, second: DataLocation): string {
  const cluster = `in the same cluster ${first.clusterId}`;
  if (first.prefix === second.prefix) return `are the same tree ${cluster}`;
  const isInside = second.prefix.startsWith(`${first.prefix}/`);
  return `overlap ${cluster}: ${isInside ? "the target lies in the source" : "the source lies in the target"}`;
}
