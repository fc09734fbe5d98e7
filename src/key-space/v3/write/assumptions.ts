import {
  type Compare,
  hasLease,
  isAbsent,
  isPresent,
  NO_LEASE,
  type Operation,
  putRecord,
} from "../../../etcd3/transaction.js";
import { parentPath } from "../../shared/path.js";
import type { KeySchema } from "../schema/key-schema.js";
import { ancestorsOf, type PathSnapshot, type PathState } from "../schema/path-snapshot.js";

/** What is believed of the directories above a node: a write that relies on it compares it. */
export interface Assumptions {
  /** The lease that the directory hangs on, and so everything new in it. */
  readonly lease: string;
  /** Holds as long as nodes in the directory belong on that lease. */
  readonly ifThere: readonly Compare[];
  /** Holds if the directory can take a new node. */
  readonly ifNew: readonly Compare[];
  /** Makes the directories that are missing. */
  readonly makes: readonly Operation[];
  /** What was seen at the path itself, if it was looked at. */
  readonly target?: PathState;
}

/** Nodes of the root need nothing. */
const ROOT_ASSUMPTIONS: Assumptions = { lease: NO_LEASE, ifThere: [], ifNew: [], makes: [] };

/** The directory above is believed to have a marker that hangs on `lease`. */
export function cachedAssumptions(path: string, lease: string, schema: KeySchema): Assumptions {
  const parent = parentPath(path);
  if (parent === "") return ROOT_ASSUMPTIONS;
  const marker = schema.marker(parent);
  const ifThere = [hasLease(marker, lease)];
  return { lease, ifThere, ifNew: [isPresent(marker), ...ifThere], makes: [] };
}

/** Nothing is known of the directories above: each is made if it is missing. */
export function noAssumptions(path: string, schema: KeySchema): Assumptions {
  const ancestors = ancestorsOf(path);
  return {
    lease: NO_LEASE,
    ifThere: cachedAssumptions(path, NO_LEASE, schema).ifThere,
    ifNew: ancestors.flatMap((ancestor) => [
      isAbsent(schema.file(ancestor)),
      hasLease(schema.marker(ancestor), NO_LEASE),
    ]),
    makes: ancestors.map((ancestor) => makeIfMissing(schema.marker(ancestor))),
  };
}

/** The directories above are as a survey has found them. */
export function snapshotAssumptions(
  { target, ancestors }: PathSnapshot,
  schema: KeySchema,
): Assumptions {
  const level = ancestors.findLastIndex(({ marker }) => marker !== undefined);
  const made = ancestors.slice(level + 1).map(({ path }) => path);
  const nearest = ancestors[level]?.marker;
  const lease = nearest?.lease ?? NO_LEASE;
  const ifThere =
    nearest === undefined
      ? cachedAssumptions(target.path, lease, schema).ifThere
      : [isPresent(nearest.key), hasLease(nearest.key, lease)];
  const ifMissing = made.flatMap((path) => [
    isAbsent(schema.marker(path)),
    isAbsent(schema.file(path)),
  ]);
  const makes = made.map((path) => putRecord(schema.marker(path), "", lease));
  return { lease, ifThere, ifNew: [...ifThere, ...ifMissing], makes, target };
}

function makeIfMissing(marker: string): Operation {
  return { request_txn: { compare: [isAbsent(marker)], success: [putRecord(marker, "")] } };
}
