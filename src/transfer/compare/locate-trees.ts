import { TransferRefusedError } from "../../errors/migration-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import { type DataLocation, keysOf, overlap } from "../../key-space/data-location.js";
import type { KeySpace } from "../../key-space/key-space.js";
import { type SourceAndTarget, type TreePair, treesOf } from "../source/source-and-target.js";
import { readTops, type Top, type Tops } from "../source/tops.js";

/** The locations of both trees. */
export interface Locations {
  readonly source: DataLocation;
  readonly target: DataLocation;
}

/**
 * Finds where the trees are stored. If one is inside the other, a copy would never end, or would
 * delete its source.
 *
 * @throws TransferRefusedError when they overlap
 */
export async function locateTrees(
  trees: TreePair,
  tops: Tops,
  options: CallOptions,
): Promise<Locations> {
  const source = await locate(trees.source, tops.source, trees.sourcePrefix, options);
  const target = await locate(trees.target, tops.target, trees.targetPrefix, options);
  const locations = { source, target };
  if (source.clusterId === "" || !overlap(source, target)) return locations;
  const sourceAgain = await locate(trees.source, tops.source, trees.sourcePrefix, options);
  if (areTwoStores(source, target, sourceAgain)) return locations;
  throw new TransferRefusedError(
    `${textOf(source, tops.source, "source")} and ${textOf(target, tops.target, "target")} ${relationOf(source, target)}. ` +
      "Choose a prefix of the target that is not inside or around the source, or another cluster",
  );
}

/** Checks that the trees do not overlap. @throws TransferRefusedError */
export async function refuseOverlap(
  sourceAndTarget: SourceAndTarget,
  options: CallOptions = {},
): Promise<void> {
  const trees = treesOf(sourceAndTarget);
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
 * store never decreases, so if successive reads show a decrease, there are two stores.
 */
function areTwoStores(
  source: DataLocation,
  target: DataLocation,
  sourceAgain: DataLocation,
): boolean {
  const [before, between, after] = [source.revision, target.revision, sourceAgain.revision];
  if (before === undefined || between === undefined || after === undefined) return false;
  return between < before || after < between;
}

function textOf(location: DataLocation, { endpoint }: Top, tree: string): string {
  const { store } = location;
  const keys = store === "unknown" ? "keys" : `${store} keys`;
  return `the ${tree} (${keysOf(location) || "/"} in the ${keys} at ${endpoint})`;
}

function relationOf(source: DataLocation, target: DataLocation): string {
  const cluster = `in the same cluster ${source.clusterId}`;
  const [sourceKeys, targetKeys] = [keysOf(source), keysOf(target)];
  if (sourceKeys === targetKeys) return `are the same tree ${cluster}`;
  const isInside = targetKeys.startsWith(`${sourceKeys}/`);
  return `overlap ${cluster}: ${isInside ? "the target is inside the source" : "the source is inside the target"}`;
}
