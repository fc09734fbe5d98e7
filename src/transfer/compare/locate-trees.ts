import { TransferRefusedError } from "../../errors/migration-errors.js";
import { type DataLocation, keysOf, overlap } from "../../key-space/data-location.js";
import type { CallOptions, KeySpace } from "../../key-space/key-space.js";
import { type SourceAndTarget, type TreePair, treesOf } from "../source/source-and-target.js";
import { readTops, type Top, type Tops } from "../source/tops.js";

/** Where the trees are kept. */
export interface Locations {
  readonly source: DataLocation;
  readonly target: DataLocation;
}

/**
 * Finds out where the trees are kept. If one lies in the other, a copy would never end, or would
 * delete its source.
 *
 * @throws TransferRefusedError when they overlap
 */
export async function locateTrees(
  trees: TreePair,
  { source, target }: Tops,
  options: CallOptions,
): Promise<Locations> {
  const first = await locate(trees.source, source, trees.sourcePrefix, options);
  const second = await locate(trees.target, target, trees.targetPrefix, options);
  const locations = { source: first, target: second };
  if (first.clusterId === "" || !overlap(first, second)) return locations;
  const again = await locate(trees.source, source, trees.sourcePrefix, options);
  if (areTwoStores(first, second, again)) return locations;
  throw new TransferRefusedError(
    `${textOf(first, source, "source")} and ${textOf(second, target, "target")} ${relationOf(first, second)}. ` +
      "Choose a prefix of the target that lies beside the source, or another cluster",
  );
}

/** Refuses what {@link locateTrees} refuses. @throws TransferRefusedError */
export async function refuseOverlap(
  sides: SourceAndTarget,
  options: CallOptions = {},
): Promise<void> {
  const trees = treesOf(sides);
  await locateTrees(trees, await readTops(trees, options), options);
}

async function locate(
  keySpace: KeySpace,
  { clusterId }: Top,
  path: string,
  options: CallOptions,
): Promise<DataLocation> {
  return (
    (await keySpace.locate?.("/", options)) ?? { clusterId, store: "unknown", keyPrefix: "", path }
  );
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

function textOf(location: DataLocation, { endpoint }: Top, side: string): string {
  const { store } = location;
  const keys = store === "unknown" ? "keys" : `${store} keys`;
  return `the ${side} (${keysOf(location) || "/"} in the ${keys} at ${endpoint})`;
}

function relationOf(first: DataLocation, second: DataLocation): string {
  const cluster = `in the same cluster ${first.clusterId}`;
  const [source, target] = [keysOf(first), keysOf(second)];
  if (source === target) return `are the same tree ${cluster}`;
  const isInside = target.startsWith(`${source}/`);
  return `overlap ${cluster}: ${isInside ? "the target lies in the source" : "the source lies in the target"}`;
}
