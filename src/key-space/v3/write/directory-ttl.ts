import type { KeyValue, RequestOp } from "../../../etcd3/rpcs.js";
import {
  hasLease,
  isAtRevision,
  type KeyRange,
  NO_LEASE,
  putWithoutPrevious,
  type ReadOptions,
  read,
} from "../../../etcd3/transaction.js";
import type { V3Call } from "../../../etcd3/v3-api.js";
import { PageReader } from "../read/page-reader.js";
import { isRevisionGone } from "../read/revision-gone.js";
import { readWithinLimit } from "../read/too-large.js";
import { encodeActionRecord } from "../schema/action-record.js";
import { clampLeaseTime, decodeLeaseId } from "../schema/lease-id.js";
import type { Leases } from "../schema/leases.js";
import type { V3Tree } from "../schema/v3-tree.js";
import { isInUse, isRenewal, type Move, movesIn, type Subtree } from "./directory-leases.js";
import { putTtlRecord } from "./txn-plan.js";

/** Maximum number of nodes moved in one transaction. */
const MOVES_PER_TXN = 50;

/**
 * Moves the descendants of a directory to the leases that they belong to, after the directory's own
 * lease has changed: subdirectories before their content, until nothing is left to move.
 *
 * `previousLease`: lease of the directory's previous TTL, or `NO_LEASE`. It is revoked when a
 * snapshot shows that no node is attached to it: then no node can join it, see {@link Move.holder}.
 */
export async function moveDescendants(
  path: string,
  previousLease: string,
  tree: V3Tree,
  leases: Leases,
  call: V3Call,
): Promise<void> {
  for (let isSnapshot = true; ; ) {
    const subtree = await readSubtree(path, tree, call, isSnapshot);
    if (subtree === "compacted") {
      isSnapshot = false;
      continue;
    }
    const moves = subtree === undefined ? [] : movesIn(subtree);
    if (moves.length === 0) {
      if (subtree === undefined || !isSnapshot || previousLease === NO_LEASE) return;
      if (!isInUse(previousLease, subtree)) leases.revoke(previousLease);
      return;
    }
    for (let start = 0; start < moves.length; start += MOVES_PER_TXN) {
      const batch = moves.slice(start, start + MOVES_PER_TXN);
      const operations = await Promise.all(
        batch.map((move) => requestOpOf(move, leases, tree, call)),
      );
      const record = { action: "update", key: path, dir: true, silent: true } as const;
      const maintenance = putWithoutPrevious(tree.schema.action, encodeActionRecord(record));
      await tree.size.sendInParts(operations, (part) =>
        tree.transact([{ if: [], do: [maintenance, ...part] }], [], call),
      );
    }
  }
}

/**
 * Reads the subtree with all its markers, files and records. Values are included, because
 * without them etcd 3.7 does not return leases either. `undefined` when the directory is gone. A
 * snapshot has all pages at one revision, unless that is compacted before they are read.
 */
async function readSubtree(
  path: string,
  tree: V3Tree,
  request: V3Call,
  isSnapshot: boolean,
): Promise<Subtree | "compacted" | undefined> {
  const call: V3Call = { ...request, safety: "read", scope: "quorum" };
  const { schema } = tree;
  const own = [read(schema.marker(path)), read(schema.order(path))];
  const { results, header } = await tree.read(own, call);
  const [marker, order] = results.map(({ kvs }) => kvs[0]);
  if (marker === undefined) return undefined;
  const [markers, files] = [new Map<string, KeyValue>(), new Map<string, KeyValue>()];
  const orders = new Map<string, KeyValue>(order && [[path, order]]);
  const ttls = new Map<string, KeyValue>();
  const readers = [
    readerInto(markers, schema.markersBelow(path), schema.markerPrefix),
    readerInto(files, schema.filesBelow(path), schema.filePrefix, withoutValue),
    readerInto(orders, schema.ordersBelow(path), schema.orderPrefix),
    readerInto(ttls, schema.ttlsBelow(path), schema.ttlPrefix),
  ];
  try {
    await readToEnd(readers, tree, call, isSnapshot ? { revision: header.revision } : {});
  } catch (error) {
    if (isSnapshot && isRevisionGone(error)) return "compacted";
    throw error;
  }
  return { path, marker, markers, files, orders, ttls };
}

function readerInto(
  nodes: Map<string, KeyValue>,
  range: KeyRange,
  prefix: string,
  convert = (kv: KeyValue): KeyValue => kv,
): PageReader {
  return new PageReader(range, { prefix, add: (path, kv) => nodes.set(path, convert(kv)) });
}

/** All values of a large directory could fill the memory. */
function withoutValue(kv: KeyValue): KeyValue {
  return { ...kv, value: NO_VALUE };
}

const NO_VALUE = Buffer.alloc(0);

/** Reads one page of each reader at a time. */
async function readToEnd(
  readers: readonly PageReader[],
  tree: V3Tree,
  call: V3Call,
  options: ReadOptions,
): Promise<void> {
  const isUnfinished = (reader: PageReader): boolean => reader.next() !== undefined;
  for (let rest = readers; rest.length > 0; rest = rest.filter(isUnfinished)) {
    const pages = {
      shrink: (limit: number) => rest.map((reader) => reader.shrink(limit)).includes(true),
    };
    const { results } = await readWithinLimit(pages, () =>
      tree.read(
        rest.flatMap((reader) => reader.next(options) ?? []),
        call,
      ),
    );
    for (const [at, result] of results.entries()) rest[at]?.take(result);
  }
}

/** Moves a node unless it or the state it depends on has changed; then the next round decides. */
async function requestOpOf(
  move: Move,
  leases: Leases,
  tree: V3Tree,
  call: V3Call,
): Promise<RequestOp> {
  const { kv, path, kind, own, holder, recordedAt } = move;
  const { key, mod_revision: revision } = kv;
  const renews = isRenewal(move);
  const lease = renews ? await renew(move, leases, tree, call) : move.lease;
  const content = renews && kind === "marker" ? { value: lease } : { ignore_value: true };
  const put = { key, ...content, ...(lease !== NO_LEASE && { lease }) };
  const compare = [isAtRevision(key, revision)];
  if (recordedAt !== undefined) compare.push(isAtRevision(tree.schema.ttl(path), recordedAt));
  if (!renews && holder !== undefined) compare.push(hasLease(holder, lease));
  const success: RequestOp[] = [{ request_put: put }];
  if (kind === "file" && !renews && own !== NO_LEASE) {
    success.push(putTtlRecord(tree.schema, path, own, lease));
  }
  return { request_txn: { compare, success } };
}

/** Grants a lease for the rest of a node's own TTL, which applies again. */
function renew({ own, kind }: Move, leases: Leases, tree: V3Tree, call: V3Call): Promise<string> {
  const end = decodeLeaseId(own)?.expiration ?? 0;
  const left = Math.max(0, Math.ceil((end - clampLeaseTime(tree.clock.now())) / 1000));
  return leases.grant(left, kind === "marker", call);
}
