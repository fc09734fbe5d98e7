import { type Read, read, readFirst } from "../../../etcd3/transaction.js";
import type { KeyValue, OperationResponse } from "../../../etcd3/transaction-answer.js";
import { parentPath } from "../../shared/path.js";
import { StoreError } from "../../shared/store-error.js";
import type { KeySchema } from "./key-schema.js";

/** What there is at one path. */
export interface PathState {
  readonly path: string;
  readonly file: KeyValue | undefined;
  readonly marker: KeyValue | undefined;
  /** The first key below it, if that was looked for. */
  readonly first: KeyValue | undefined;
}

/** What matters of the tree to a request for one path, at one revision. */
export interface PathSnapshot {
  readonly target: PathState;
  /** First marker below the target. */
  readonly subdirectory: KeyValue | undefined;
  /** The directories above it, the root left out, from the top down. */
  readonly ancestors: readonly PathState[];
}

/** Paths of the directories above a path, the root left out, from the top down. */
export function ancestorsOf(path: string): readonly string[] {
  const ancestors: string[] = [];
  for (let at = parentPath(path); at !== ""; at = parentPath(at)) ancestors.push(at);
  return ancestors.reverse();
}

/**
 * The operations by which {@link readPathSnapshot} learns about a path. `below` reads of the files and of
 * the markers below it, at least the first ones.
 */
export function pathSnapshotReads(
  path: string,
  schema: KeySchema,
  below: readonly Read[] = [
    readFirst(schema.filesBelow(path)),
    readFirst(schema.markersBelow(path)),
  ],
  options = {},
): readonly Read[] {
  const place = (at: string): readonly Read[] => [
    read(schema.file(at), options),
    read(schema.marker(at), options),
  ];
  return [...place(path), ...below, ...ancestorsOf(path).flatMap(place)];
}

export function readPathSnapshot(
  path: string,
  answers: readonly OperationResponse[],
): PathSnapshot {
  const kvAt = (at: number): KeyValue | undefined => answers[at]?.found[0];
  return {
    target: { path, file: kvAt(0), marker: kvAt(1), first: kvAt(2) },
    subdirectory: kvAt(3),
    ancestors: ancestorsOf(path).map((ancestor, level) => ({
      path: ancestor,
      file: kvAt(4 + 2 * level),
      marker: kvAt(5 + 2 * level),
      first: undefined,
    })),
  };
}

/**
 * The operations that look for keys below directories without a marker: those are there if they are
 * implied. To look below every directory would be slow, as etcd walks over all keys of a range even
 * if it is asked for the first.
 */
export function impliedParentsOf(
  { ancestors }: PathSnapshot,
  schema: KeySchema,
  options = {},
): readonly Read[] {
  return ancestors
    .filter(({ marker }) => marker === undefined)
    .map(({ path }) => readFirst(schema.filesBelow(path), options));
}

/** The survey with what {@link impliedParentsOf} has found. */
export function withImpliedParents(
  snapshot: PathSnapshot,
  answers: readonly OperationResponse[],
): PathSnapshot {
  const firsts = answers.map(({ found }) => found[0]);
  const ancestors = snapshot.ancestors.map((place) =>
    place.marker === undefined ? { ...place, first: firsts.shift() } : place,
  );
  return { ...snapshot, ancestors };
}

/** Whether a place is a directory. A value hides it. */
export function isDirectory({ path, file, marker, first }: PathState): boolean {
  return path === "" || (file === undefined && (marker !== undefined || first !== undefined));
}

/** Whether there is anything at a place. */
export function exists(place: PathState): boolean {
  return place.file !== undefined || isDirectory(place);
}

/** Refuses a path on which a file stands in the way. A marker beside the file opens it. */
export function requireParents({ ancestors }: PathSnapshot): void {
  for (const { path, file, marker } of ancestors) {
    if (file !== undefined && marker === undefined) throw new StoreError(104, path);
  }
}

/** @throws StoreError for a node that is missing: 104, or 100 with the first missing path */
export function missing({ target, ancestors }: PathSnapshot): StoreError {
  for (const { path, file, marker, first } of ancestors) {
    if (marker !== undefined) continue;
    if (file !== undefined) return new StoreError(104, path);
    if (first === undefined) return new StoreError(100, path);
  }
  return new StoreError(100, target.path);
}
