import type { CallOptions, KeySpace } from "../../key-space/key-space.js";
import type { Clock } from "../../time/clock.js";
import { type Listing, list, NOTHING } from "../source/listing.js";
import { isReplaced } from "../source/replaced-text.js";
import type { TreeEntry } from "../source/tree-entry.js";
import { differenceOf, type NodeDifference, type TtlView } from "./difference.js";

/** What can be compared: a key space, or a client. */
export type Tree = Pick<KeySpace, "execute">;

export interface CompareOptions extends CallOptions {
  /**
   * Everything below the keys; `false`: what is directly in them.
   *
   * @default true
   */
  readonly recursive?: boolean;
  /**
   * Seconds by which TTLs may differ.
   *
   * @default 5
   */
  readonly ttlTolerance?: number;
  readonly clock: Clock;
}

/** What a few directories have shown. */
export interface Comparison {
  readonly differences: readonly PlacedDifference[];
  /** Nodes of the source tree that were compared. */
  readonly compared: number;
  /** Nodes of the source tree that have a TTL. */
  readonly leased: readonly TreeEntry[];
  /** Files of the source tree whose values hold U+FFFD. */
  readonly replaced: readonly TreeEntry[];
  /** Keys of either tree that are not UTF-8: they were not compared. */
  readonly unnamed: UnnamedKeys;
  /** Monotonic moment before the directories were read: TTLs count from it. */
  readonly readAt: number;
}

/** Keys as {@link Listing.unnamed} has them. */
interface UnnamedKeys {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/** A difference, and whether it lies in a directory that both have and no TTL ends. */
export type PlacedDifference = NodeDifference & { readonly isPlain: boolean };

/** A directory, or a top, that is to be compared. */
interface Task {
  readonly key: string;
  readonly isTop: boolean;
  /** Whether the target tree is known to have nothing there. */
  readonly isNew: boolean;
  readonly ttlAbove: number | undefined;
}

interface Finding extends Omit<Comparison, "readAt"> {
  readonly tasks: readonly Task[];
}

/** Directories that are read at the same time. */
const AT_A_TIME = 8;
const DEFAULT_TOLERANCE = 5;

/**
 * Compares two trees, parents before what is in them, some directories at a time: memory is bounded
 * by those and by the directories that wait beside the way down. Nothing is read ahead: what was
 * told is dealt with before the next directories are read.
 *
 * `keys` are the tops. Hidden nodes below them are not seen, as etcd does not list them. Without
 * `target`, everything is missing there.
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
    const tasks = waiting.splice(-AT_A_TIME).reverse();
    const findings = await Promise.all(tasks.map((task) => compare(source, target, task, options)));
    if (options.recursive !== false) {
      waiting.push(...findings.flatMap((finding) => finding.tasks).reverse());
    }
    yield { ...sumOf(findings), readAt };
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
): Promise<Finding> {
  const { key, isNew } = task;
  const [here, there] = await Promise.all([
    list(source, key, options),
    isNew || target === undefined ? NOTHING : list(target, key, options),
  ]);
  return findingOf(here, there, task, options.ttlTolerance ?? DEFAULT_TOLERANCE);
}

function findingOf(here: Listing, there: Listing, task: Task, tolerance: number): Finding {
  const { key, isTop, ttlAbove } = task;
  // The root is not told of, and what is no top was told of by the directory that holds it.
  const isNamed = isTop && key !== "/";
  const self = isNamed ? here.self : undefined;
  const ttlWithin = least(ttlAbove, self?.ttl);
  const inside = { tolerance, above: ttlWithin };
  const isPlain = ttlWithin === undefined && !isNamed;
  const differences = [
    ...(isNamed ? selfDifference(here, there, { tolerance, above: ttlAbove }) : []),
    ...(isNamed && !here.self ? [] : childDifferences(here, there, inside)),
  ];
  const entries = [...(self ? [self] : []), ...here.children.values()];
  return {
    differences: differences.map((difference) => ({ ...difference, isPlain })),
    compared: entries.length,
    leased: entries.filter(({ ttl }) => ttl !== undefined),
    replaced: entries.filter(({ value = "" }) => isReplaced(value)),
    unnamed: { source: here.unnamed, target: there.unnamed },
    tasks: tasksIn(here, there, ttlWithin),
  };
}

function selfDifference(here: Listing, there: Listing, view: TtlView): readonly NodeDifference[] {
  if (here.self === undefined) return there.self ? [{ kind: "extra", found: there.self }] : [];
  const difference = differenceOf(here.self, there.self, view);
  return difference === undefined ? [] : [difference];
}

function childDifferences(here: Listing, there: Listing, view: TtlView): readonly NodeDifference[] {
  const different = [...here.children.values()].flatMap(
    (entry) => differenceOf(entry, there.children.get(entry.key), view) ?? [],
  );
  const extra = [...there.children.values()].filter(({ key }) => !here.children.has(key));
  return [...different, ...extra.map((found) => ({ kind: "extra", found }) as const)];
}

function tasksIn(here: Listing, there: Listing, ttlAbove: number | undefined): readonly Task[] {
  const directories = [...here.children.values()].filter(({ dir }) => dir);
  return directories.map(({ key, ttl }) => ({
    key,
    isTop: false,
    isNew: there.children.get(key)?.dir !== true,
    ttlAbove: least(ttlAbove, ttl),
  }));
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

function sumOf(findings: readonly Finding[]): Omit<Comparison, "readAt"> {
  return {
    differences: findings.flatMap(({ differences }) => differences),
    compared: findings.reduce((sum, { compared }) => sum + compared, 0),
    leased: findings.flatMap(({ leased }) => leased),
    replaced: findings.flatMap(({ replaced }) => replaced),
    unnamed: {
      source: findings.flatMap(({ unnamed }) => unnamed.source),
      target: findings.flatMap(({ unnamed }) => unnamed.target),
    },
  };
}
