import type { KeyValue } from "../../../etcd3/rpcs.js";
import { NO_LEASE, read, readFirst } from "../../../etcd3/transaction.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { isRemoval } from "../../../model/actions.js";
import { isRevisionGone } from "../read/revision-gone.js";
import { ownLease } from "../schema/node-view.js";
import type { V3Tree } from "../schema/v3-tree.js";
import type { WriteRequest } from "./txn-plan.js";
import type { NodeChange } from "./write-response.js";

/** A write whose response was lost, as etcd's history shows it. */
export interface AppliedWrite {
  readonly change: NodeChange;
  /** Lease of the node; `undefined` if the history is gone. */
  readonly lease: string | undefined;
  /** Lease of the node's own TTL, if it is a directory. */
  readonly ttlLease: string;
}

/** The keys of a path at one revision. */
interface Keys {
  readonly file: KeyValue | undefined;
  readonly marker: KeyValue | undefined;
}

/** Reads the change of a path by the write with this revision. */
export async function readAppliedWrite(
  path: string,
  revision: number,
  request: WriteRequest,
  tree: V3Tree,
  call: V3Call,
): Promise<AppliedWrite> {
  const { schema } = tree;
  const keysAt = (at: number) => [
    read(schema.file(path), { revision: at }),
    read(schema.marker(path), { revision: at }),
  ];
  const before = revision - 1;
  const reads = [...keysAt(revision), ...keysAt(before)];
  const first = readFirst(schema.filesBelow(path), { revision: before });
  try {
    const { results } = await tree.read([...reads, first], { ...call, safety: "read" });
    const [file, marker, fileBefore, markerBefore, firstBelow] = results.map(({ kvs }) => kvs[0]);
    const previous = { file: fileBefore, marker: markerBefore };
    return appliedWrite({ file, marker }, previous, firstBelow, request);
  } catch (error) {
    if (!isRevisionGone(error)) throw error;
    return compactedWrite(request);
  }
}

function appliedWrite(
  { file, marker }: Keys,
  before: Keys,
  firstBelow: KeyValue | undefined,
  request: WriteRequest,
): AppliedWrite {
  const isRemoved = isRemoval(request.action);
  const replaced = before.file === undefined ? "directory" : "file";
  const node = isRemoved ? replaced : file === undefined ? "directory" : "file";
  const replaces = node === "file" ? "file" : replaced;
  const found = replaces === "file" ? before.file : before.marker;
  const previous = found ?? (replaces === "directory" ? firstBelow : undefined);
  const kind = isRemoved ? "removed" : previous === undefined ? "created" : "changed";
  const change: NodeChange = { node, replaces, kind, previous, hadMarker: found !== undefined };
  const written = node === "file" ? file : marker;
  const ttlLease = node === "directory" && marker !== undefined ? ownLease(marker) : NO_LEASE;
  return { change, lease: written?.lease ?? NO_LEASE, ttlLease };
}

/** The history is gone: the request says what the node is now, and nothing is known of before. */
function compactedWrite(request: WriteRequest): AppliedWrite {
  const node = "dir" in request && request.dir === true ? "directory" : "file";
  const kind = isRemoval(request.action) ? "removed" : "changed";
  const change: NodeChange = { node, replaces: node, kind, previous: undefined };
  return { change, lease: undefined, ttlLease: NO_LEASE };
}
