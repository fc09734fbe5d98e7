import type { KeyRange } from "../../../etcd3/transaction.js";
import {
  isAtRevision,
  NO_LEASE,
  type Operation,
  putRecord,
  read,
} from "../../../etcd3/transaction.js";
import type { KeyValue } from "../../../etcd3/transaction-answer.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { toBase64 } from "../../../etcd3/v3-json.js";
import { PageReader } from "../read/page-reader.js";
import { readLess } from "../read/too-large.js";
import { encodeActionRecord } from "../schema/action-record.js";
import { decodeLeaseId, leaseTime } from "../schema/lease-id.js";
import type { Leases } from "../schema/leases.js";
import type { V3Tree } from "../schema/v3-tree.js";
import { isRenewal, type Move, movesIn, type Subtree } from "./directory-leases.js";

/** Nodes that are moved in one transaction. */
const BATCH_SIZE = 50;

/**
 * Brings what is below a directory onto the lease that it belongs on, after the directory's own has
 * changed: subdirectories before what is in them, over and over until nothing is left behind.
 */
export async function moveDescendants(
  path: string,
  tree: V3Tree,
  leases: Leases,
  call: V3Call,
): Promise<void> {
  for (;;) {
    const subtree = await readSubtree(path, tree, call);
    const moves = subtree === undefined ? [] : movesIn(subtree);
    if (moves.length === 0) return;
    for (let start = 0; start < moves.length; start += BATCH_SIZE) {
      const batch = moves.slice(start, start + BATCH_SIZE);
      const operations = await Promise.all(
        batch.map((move) => operationOf(move, leases, tree, call)),
      );
      const record = { action: "update", key: path, dir: true, silent: true } as const;
      const upkeep = putRecord(tree.schema.action, encodeActionRecord(record));
      await tree.size.sendInParts(operations, (part) =>
        tree.transact([{ if: [], do: [upkeep, ...part] }], [], call),
      );
    }
  }
}

/**
 * The subtree with all its markers, files and order records, values included: without values, etcd
 * 3.7 does not tell leases either. Nothing once the directory is gone.
 */
async function readSubtree(
  path: string,
  tree: V3Tree,
  { operation, key, signal, attemptTimeout }: V3Call,
): Promise<Subtree | undefined> {
  const limits = { signal, attemptTimeout };
  const call: V3Call = { operation, key, safety: "read", scope: "quorum", ...limits };
  const { schema } = tree;
  const own = [read(schema.marker(path)), read(schema.order(path))];
  const [marker, order] = (await tree.read(own, call)).answers.map(({ found }) => found[0]);
  if (marker === undefined) return undefined;
  const [markers, files] = [new Map<string, KeyValue>(), new Map<string, KeyValue>()];
  const orders = new Map<string, KeyValue>(order && [[path, order]]);
  const readers = [
    readerInto(markers, schema.markersBelow(path), schema.markerPrefix),
    readerInto(files, schema.filesBelow(path), schema.filePrefix, withoutValue),
    readerInto(orders, schema.ordersBelow(path), schema.orderPrefix),
  ];
  await readToEnd(readers, tree, call);
  return { path, lease: marker.lease, markers, files, orders };
}

function readerInto(
  nodes: Map<string, KeyValue>,
  range: KeyRange,
  prefix: string,
  kept = (kv: KeyValue): KeyValue => kv,
): PageReader {
  return new PageReader(range, { prefix, add: (path, kv) => nodes.set(path, kept(kv)) });
}

/** All values of a large directory together could fill the memory. */
function withoutValue(kv: KeyValue): KeyValue {
  return { ...kv, value: "" };
}

/** A page of each at a time. */
async function readToEnd(
  readers: readonly PageReader[],
  tree: V3Tree,
  call: V3Call,
): Promise<void> {
  const isUnfinished = (reader: PageReader): boolean => reader.next() !== undefined;
  for (let rest = readers; rest.length > 0; rest = rest.filter(isUnfinished)) {
    const pages = {
      shrink: (limit: number) => rest.map((reader) => reader.shrink(limit)).includes(true),
    };
    const { answers } = await readLess(pages, () =>
      tree.read(
        rest.flatMap((reader) => reader.next() ?? []),
        call,
      ),
    );
    for (const [at, answer] of answers.entries()) rest[at]?.take(answer);
  }
}

/** Moves a node unless it was written meanwhile: then the next round sees to it. */
async function operationOf(
  { kv, lease }: Move,
  leases: Leases,
  tree: V3Tree,
  call: V3Call,
): Promise<Operation> {
  const { key, modRevision } = kv;
  const renews = isRenewal({ kv, lease });
  const renewed = renews ? await renew(lease, leases, tree, call) : lease;
  const content = renews ? { value: toBase64(renewed) } : { ignore_value: true };
  const put = { key, ...content, ...(renewed !== NO_LEASE && { lease: renewed }) };
  return {
    request_txn: { compare: [isAtRevision(key, modRevision)], success: [{ request_put: put }] },
  };
}

/** A subdirectory's own TTL, which counts again, needs a lease for what is left of it. */
function renew(lease: string, leases: Leases, tree: V3Tree, call: V3Call): Promise<string> {
  const end = decodeLeaseId(lease)?.expiration ?? 0;
  const left = Math.max(0, Math.ceil((end - leaseTime(tree.clock.now())) / 1000));
  return leases.grant(left, true, call);
}
