import {
  type Compare,
  hangsOn,
  isAbsent,
  isPresent,
  NO_LEASE,
  type Operation,
  putRecord,
} from "../../../etcd3/transaction.js";
import { parentPath } from "../../shared/path.js";
import type { KeyLayout } from "../schema/key-schema.js";
import { ancestorsOf, type Place, type Survey } from "../schema/path-snapshot.js";

/** What is believed of the directories above a node: a write that relies on it compares it. */
export interface Ground {
  /** The lease that the directory hangs on, and so everything new in it. */
  readonly lease: string;
  /** Holds as long as nodes in the directory belong on that lease. */
  readonly ifThere: readonly Compare[];
  /** Holds if the directory can take a new node. */
  readonly ifNew: readonly Compare[];
  /** Makes the directories that are missing. */
  readonly makes: readonly Operation[];
  /** What was seen at the path itself, if it was looked at. */
  readonly target?: Place;
}

/** Nodes of the root need nothing. */
const ROOT_GROUND: Ground = { lease: NO_LEASE, ifThere: [], ifNew: [], makes: [] };

/** The directory above is believed to have a marker that hangs on `lease`. */
export function familiarGround(path: string, lease: string, layout: KeyLayout): Ground {
  const parent = parentPath(path);
  if (parent === "") return ROOT_GROUND;
  const marker = layout.marker(parent);
  const ifThere = [hangsOn(marker, lease)];
  return { lease, ifThere, ifNew: [isPresent(marker), ...ifThere], makes: [] };
}

/** Nothing is known of the directories above: each is made if it is missing. */
export function newGround(path: string, layout: KeyLayout): Ground {
  const ancestors = ancestorsOf(path);
  return {
    lease: NO_LEASE,
    ifThere: familiarGround(path, NO_LEASE, layout).ifThere,
    ifNew: ancestors.flatMap((ancestor) => [
      isAbsent(layout.file(ancestor)),
      hangsOn(layout.marker(ancestor), NO_LEASE),
    ]),
    makes: ancestors.map((ancestor) => makeIfMissing(layout.marker(ancestor))),
  };
}

/** The directories above are as a survey has found them. */
export function surveyedGround({ target, ancestors }: Survey, layout: KeyLayout): Ground {
  const level = ancestors.findLastIndex(({ marker }) => marker !== undefined);
  const made = ancestors.slice(level + 1).map(({ path }) => path);
  const nearest = ancestors[level]?.marker;
  const lease = nearest?.lease ?? NO_LEASE;
  const ifThere =
    nearest === undefined
      ? familiarGround(target.path, lease, layout).ifThere
      : [isPresent(nearest.key), hangsOn(nearest.key, lease)];
  const ifMissing = made.flatMap((path) => [
    isAbsent(layout.marker(path)),
    isAbsent(layout.file(path)),
  ]);
  const makes = made.map((path) => putRecord(layout.marker(path), "", lease));
  return { lease, ifThere, ifNew: [...ifThere, ...ifMissing], makes, target };
}

function makeIfMissing(marker: string): Operation {
  return { request_txn: { compare: [isAbsent(marker)], success: [putRecord(marker, "")] } };
}
