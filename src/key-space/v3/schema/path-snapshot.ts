import type { KeyValue } from "../../../etcd3/rpcs.js";
import { type Read, type ReadOptions, read, readFirst } from "../../../etcd3/transaction.js";
import type { OperationResult } from "../../../etcd3/txn-result.js";
import { parentPath } from "../../shared/path.js";
import { StoreError } from "../../shared/store-error.js";
import type { KeySchema } from "./key-schema.js";

/** The state of one path. */
export interface PathState {
  readonly path: string;
  readonly file: KeyValue | undefined;
  readonly marker: KeyValue | undefined;
  /** The first key below it, if it was read. */
  readonly firstKeyBelow: KeyValue | undefined;
}

/** The part of the tree that a request for one path depends on, at one revision. */
export interface PathSnapshot {
  readonly target: PathState;
  /** First marker below the target. */
  readonly subdirectory: KeyValue | undefined;
  /** The ancestors without the root, from the top down. */
  readonly ancestors: readonly PathState[];
}

/** Paths of the ancestors without the root, from the top down. */
export function ancestorsOf(path: string): readonly string[] {
  const ancestors: string[] = [];
  for (let at = parentPath(path); at !== ""; at = parentPath(at)) ancestors.push(at);
  return ancestors.reverse();
}

/**
 * The reads for {@link readPathSnapshot}. `below` reads the files and the markers below the path,
 * at least the first of each.
 */
export function pathSnapshotReads(
  path: string,
  schema: KeySchema,
  below: readonly Read[] = [
    readFirst(schema.filesBelow(path)),
    readFirst(schema.markersBelow(path)),
  ],
  options: ReadOptions = {},
): readonly Read[] {
  const state = (at: string): readonly Read[] => [
    read(schema.file(at), options),
    read(schema.marker(at), options),
  ];
  return [...state(path), ...below, ...ancestorsOf(path).flatMap(state)];
}

export function readPathSnapshot(path: string, results: readonly OperationResult[]): PathSnapshot {
  const kvAt = (at: number): KeyValue | undefined => results[at]?.kvs[0];
  // The root is always a directory, whatever a foreign program has written.
  const file = path === "" ? undefined : kvAt(0);
  return {
    target: { path, file, marker: kvAt(1), firstKeyBelow: kvAt(2) },
    subdirectory: kvAt(3),
    ancestors: ancestorsOf(path).map((ancestor, level) => ({
      path: ancestor,
      file: kvAt(4 + 2 * level),
      marker: kvAt(5 + 2 * level),
      firstKeyBelow: undefined,
    })),
  };
}

/**
 * The reads that search for keys below ancestors without a marker, which exist only if such a key
 * implies them. Searching below every directory would be slow: etcd scans all keys of a range even
 * with limit 1.
 */
export function impliedParentsOf(
  { ancestors }: PathSnapshot,
  schema: KeySchema,
  options: ReadOptions = {},
): readonly Read[] {
  return ancestors
    .filter(({ marker }) => marker === undefined)
    .map(({ path }) => readFirst(schema.filesBelow(path), options));
}

/** Adds the results of {@link impliedParentsOf} to the snapshot. */
export function withImpliedParents(
  snapshot: PathSnapshot,
  results: readonly OperationResult[],
): PathSnapshot {
  const firsts = results.map(({ kvs }) => kvs[0]);
  const ancestors = snapshot.ancestors.map((state) =>
    state.marker === undefined ? { ...state, firstKeyBelow: firsts.shift() } : state,
  );
  return { ...snapshot, ancestors };
}

/** Whether the path is a directory. A file with the same path hides it. */
export function isDirectory({ path, file, marker, firstKeyBelow: first }: PathState): boolean {
  return path === "" || (file === undefined && (marker !== undefined || first !== undefined));
}

/** Whether a node exists at the path. */
export function exists(state: PathState): boolean {
  return state.file !== undefined || isDirectory(state);
}

/**
 * Refuses a path with a file as an ancestor. A marker beside the file makes it a directory again.
 */
export function requireParents({ ancestors }: PathSnapshot): void {
  for (const { path, file, marker } of ancestors) {
    if (file !== undefined && marker === undefined) throw new StoreError(104, path);
  }
}

/** The error for a missing node: 104, or 100 with the first missing path */
export function missing({ target, ancestors }: PathSnapshot): StoreError {
  for (const { path, file, marker, firstKeyBelow: first } of ancestors) {
    if (marker !== undefined) continue;
    if (file !== undefined) return new StoreError(104, path);
    if (first === undefined) return new StoreError(100, path);
  }
  return new StoreError(100, target.path);
}
