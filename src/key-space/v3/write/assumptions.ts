import type { Compare, RequestOp } from "../../../etcd3/rpcs.js";
import {
  hasLease,
  isAbsent,
  isPresent,
  NO_LEASE,
  putWithoutPrevious,
} from "../../../etcd3/transaction.js";
import { parentPath } from "../../shared/path.js";
import type { KeySchema } from "../schema/key-schema.js";
import { ancestorsOf, type PathSnapshot, type PathState } from "../schema/path-snapshot.js";

/**
 * Assumed state of the ancestors of a node. A write that depends on it compares it in its
 * transaction.
 */
export interface Assumptions {
  /** Lease that the parent directory is attached to, and so everything new in it. */
  readonly lease: string;
  /** Conditions under which existing nodes of the directory belong to that lease. */
  readonly conditionsIfExists: readonly Compare[];
  /** Conditions under which the directory can get a new node. */
  readonly conditionsIfNew: readonly Compare[];
  /** Creates the missing ancestors. */
  readonly creates: readonly RequestOp[];
  /** The state of the path itself, if it was read. */
  readonly target?: PathState;
}

/** Nodes directly below the root need no conditions. */
const ROOT_ASSUMPTIONS: Assumptions = {
  lease: NO_LEASE,
  conditionsIfExists: [],
  conditionsIfNew: [],
  creates: [],
};

/** Assumes that the parent directory has a marker attached to `lease`. */
export function cachedAssumptions(path: string, lease: string, schema: KeySchema): Assumptions {
  const parent = parentPath(path);
  if (parent === "") return ROOT_ASSUMPTIONS;
  const marker = schema.marker(parent);
  const ifExisting = [hasLease(marker, lease)];
  return {
    lease,
    conditionsIfExists: ifExisting,
    conditionsIfNew: [isPresent(marker), ...ifExisting],
    creates: [],
  };
}

/** Assumes nothing: each missing ancestor is created. */
export function noAssumptions(path: string, schema: KeySchema): Assumptions {
  const ancestors = ancestorsOf(path);
  return {
    lease: NO_LEASE,
    conditionsIfExists: cachedAssumptions(path, NO_LEASE, schema).conditionsIfExists,
    conditionsIfNew: ancestors.flatMap((ancestor) => [
      isAbsent(schema.file(ancestor)),
      hasLease(schema.marker(ancestor), NO_LEASE),
    ]),
    creates: ancestors.map((ancestor) => createIfMissing(schema.marker(ancestor))),
  };
}

/** Assumes the ancestors of a snapshot. */
export function snapshotAssumptions(
  { target, ancestors }: PathSnapshot,
  schema: KeySchema,
): Assumptions {
  const level = ancestors.findLastIndex(({ marker }) => marker !== undefined);
  const missingPaths = ancestors.slice(level + 1).map(({ path }) => path);
  const nearest = ancestors[level]?.marker;
  const lease = nearest?.lease ?? NO_LEASE;
  const ifExisting =
    nearest === undefined
      ? cachedAssumptions(target.path, lease, schema).conditionsIfExists
      : [isPresent(nearest.key), hasLease(nearest.key, lease)];
  const ifMissing = missingPaths.flatMap((path) => [
    isAbsent(schema.marker(path)),
    isAbsent(schema.file(path)),
  ]);
  const creates = missingPaths.map((path) => putWithoutPrevious(schema.marker(path), "", lease));
  return {
    lease,
    conditionsIfExists: ifExisting,
    // Without any marker, the absence of the parent's is compared anyway.
    conditionsIfNew: nearest === undefined ? ifMissing : [...ifExisting, ...ifMissing],
    creates,
    target,
  };
}

function createIfMissing(marker: string): RequestOp {
  return {
    request_txn: { compare: [isAbsent(marker)], success: [putWithoutPrevious(marker, "")] },
  };
}
