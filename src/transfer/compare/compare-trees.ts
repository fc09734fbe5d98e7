import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace } from "../../key-space/key-space.js";
import type { Clock } from "../../time/clock.js";
import { type DirectoryListing, EMPTY_LISTING, list } from "../source/listing.js";
import { isReplaced } from "../source/replaced-text.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { differenceOf, type NodeDifference, type TtlComparison } from "./difference.js";

/** A tree to compare: a key space, or a client. */
export type Tree = Pick<KeySpace, "execute">;

export interface CompareOptions extends CallOptions {
  /**
   * Compare everything below the keys; `false`: only their children.
   *
   * @default true
   */
  readonly recursive?: boolean | undefined;
  /**
   * Seconds by which TTLs may differ.
   *
   * @default 5
   */
  readonly ttlTolerance?: number | undefined;
  readonly clock: Clock;
}

/** The result for a few directories. */
export interface Comparison {
  readonly differences: readonly PlacedDifference[];
  /** Nodes of the source tree that were compared. */
  readonly compared: number;
  /** Nodes of the source tree that have a TTL. */
  readonly leased: readonly TreeEntry[];
  /** Files of the source tree whose values contain U+FFFD. */
  readonly replaced: readonly TreeEntry[];
  /** Keys of both trees that are not UTF-8. They were not compared. */
  readonly unnamed: UnnamedKeys;
  /** Monotonic time before the directories were read. TTLs count from it. */
  readonly readAt: number;
}

/** Keys as in {@link DirectoryListing.unnamed}. */
interface UnnamedKeys {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/** A difference, and whether its directory exists in both trees and neither it nor a parent has a TTL. */
export type PlacedDifference = NodeDifference & { readonly isPlain: boolean };

/** A directory, or a top, to compare. */
interface Task {
  readonly key: string;
  readonly isTop: boolean;
  /** Whether the target tree is known not to have this directory. */
  readonly isNew: boolean;
  readonly ttlAbove: number | undefined;
}

interface DirectoryComparison extends Omit<Comparison, "readAt"> {
  readonly tasks: readonly Task[];
}

/** Directories that are read concurrently. */
const MAX_CONCURRENT_DIRECTORIES = 8;
const DEFAULT_TTL_TOLERANCE_S = 5;

/**
 * Compares two trees, parents before their children, some directories at a time. Memory is bounded by
 * those and by the pending directories of the path. Nothing is read ahead: the consumer handles a
 * comparison before the next directories are read.
 *
 * `keys` are the tops. Hidden nodes below them are left out, because etcd does not list them. Without
 * `target`, everything counts as missing.
 */
export async function* compareTrees(
  source: Tree,
  target: Tree | undefined,
  keys: readonly string[],
  options: CompareOptions,
): AsyncGenerator<Comparison, void, undefined> {
  const waiting: Task[] = keys.map((key) => topTask(key)).reverse();
  while (waiting.length > 0) {
    const readAt = options.clock.monotonic();
    const tasks = waiting.splice(-MAX_CONCURRENT_DIRECTORIES).reverse();
    const results = await Promise.all(tasks.map((task) => compare(source, target, task, options)));
    if (options.recursive !== false) {
      for (const task of results.flatMap((result) => result.tasks).reverse()) waiting.push(task);
    }
    yield { ...merge(results), readAt };
  }
}

function topTask(key: string): Task {
  return { key, isTop: true, isNew: false, ttlAbove: undefined };
}

async function compare(
  source: Tree,
  target: Tree | undefined,
  task: Task,
  options: CompareOptions,
): Promise<DirectoryComparison> {
  const { key, isNew } = task;
  const [sourceListing, targetListing] = await Promise.all([
    list(source, key, options),
    isNew || target === undefined ? EMPTY_LISTING : list(target, key, options),
  ]);
  return compareListings(
    sourceListing,
    targetListing,
    task,
    options.ttlTolerance ?? DEFAULT_TTL_TOLERANCE_S,
  );
}

function compareListings(
  source: DirectoryListing,
  target: DirectoryListing,
  task: Task,
  tolerance: number,
): DirectoryComparison {
  const { key, isTop, ttlAbove } = task;
  // The root is not reported. Other directories were reported with their parent.
  const isNamed = isTop && key !== "/";
  const self = isNamed ? source.self : undefined;
  const ttlWithin = minimum(ttlAbove, self?.ttl);
  const inside = { tolerance, above: ttlWithin };
  const isPlain = ttlWithin === undefined && !isNamed;
  const differences = [
    ...(isNamed ? selfDifference(source, target, { tolerance, above: ttlAbove }) : []),
    ...(isNamed && !source.self ? [] : childDifferences(source, target, inside)),
  ];
  const entries = [...(self ? [self] : []), ...source.children.values()];
  return {
    differences: differences.map((difference) => ({ ...difference, isPlain })),
    compared: entries.length,
    leased: entries.filter(({ ttl }) => ttl !== undefined),
    replaced: entries.filter(({ value = "" }) => isReplaced(value)),
    unnamed: { source: source.unnamed, target: target.unnamed },
    tasks: tasksIn(source, target, ttlWithin),
  };
}

function selfDifference(
  source: DirectoryListing,
  target: DirectoryListing,
  view: TtlComparison,
): readonly NodeDifference[] {
  if (source.self === undefined) return target.self ? [{ kind: "extra", found: target.self }] : [];
  const difference = differenceOf(source.self, target.self, view);
  return difference === undefined ? [] : [difference];
}

function childDifferences(
  source: DirectoryListing,
  target: DirectoryListing,
  view: TtlComparison,
): readonly NodeDifference[] {
  const different = [...source.children.values()].flatMap(
    (entry) => differenceOf(entry, target.children.get(entry.key), view) ?? [],
  );
  const extra = [...target.children.values()].filter(({ key }) => !source.children.has(key));
  return [...different, ...extra.map((found) => ({ kind: "extra", found }) as const)];
}

function tasksIn(
  source: DirectoryListing,
  target: DirectoryListing,
  ttlAbove: number | undefined,
): readonly Task[] {
  const directories = [...source.children.values()].filter(({ dir }) => dir);
  return directories.map(({ key, ttl }) => ({
    key,
    isTop: false,
    isNew: target.children.get(key)?.dir !== true,
    ttlAbove: minimum(ttlAbove, ttl),
  }));
}

function minimum(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function merge(results: readonly DirectoryComparison[]): Omit<Comparison, "readAt"> {
  return {
    differences: results.flatMap(({ differences }) => differences),
    compared: results.reduce((sum, { compared }) => sum + compared, 0),
    leased: results.flatMap(({ leased }) => leased),
    replaced: results.flatMap(({ replaced }) => replaced),
    unnamed: {
      source: results.flatMap(({ unnamed }) => unnamed.source),
      target: results.flatMap(({ unnamed }) => unnamed.target),
    },
  };
}
