import type { Compare, RequestOp } from "../../../etcd3/rpcs.js";
import {
  atRevision,
  type Bytes,
  hasValue,
  isAbsent,
  isAtRevision,
  isEmpty,
  isOlderThan,
  isPresent,
  NO_LEASE,
  put,
  putWithoutPrevious,
  read,
  remove,
  removeAll,
  type TxnBranch,
} from "../../../etcd3/transaction.js";
import type {
  CompareAndDeleteRequest,
  CompareAndSwapRequest,
  Condition,
  CreateRequest,
  DeleteRequest,
  KeyRequest,
  SetRequest,
  UpdateRequest,
} from "../../../model/key-request.js";
import { parentPath } from "../../shared/path.js";
import { encodeActionRecord } from "../schema/action-record.js";
import type { KeySchema } from "../schema/key-schema.js";
import { isDirectory } from "../schema/path-snapshot.js";
import type { Assumptions } from "./assumptions.js";

export type WriteRequest = Exclude<KeyRequest, { readonly action: "get" }>;

/** One way to execute a write. */
export interface TxnPlan extends TxnBranch {
  /** Kind of the node that the first operation replaces or removes, if it existed. */
  readonly replaces: "file" | "directory";
  /** Kind of the node afterwards; of a removed node, its former kind. */
  readonly node: "file" | "directory";
}

/** A write, and everything that its transaction depends on. */
export interface WriteIntent {
  readonly request: WriteRequest;
  /** Path of the node. For an in-order key it differs from the request's path. */
  readonly path: string;
  readonly assumptions: Assumptions;
  readonly schema: KeySchema;
  readonly offset: number;
  /** Revision at which the offset was written; 0 without an offset. */
  readonly offsetAt: number;
  /** Lease of the node's own TTL. */
  readonly ttlLease: string;
  /** Lease that the node will be attached to. */
  readonly lease: string;
  /** Revision that names an in-order key. */
  readonly nameRevision: number | undefined;
}

/** The plans for a write under its assumptions, the likeliest first. See docs/v3.md. */
export function plansOf(intent: WriteIntent): readonly TxnPlan[] {
  const { request } = intent;
  switch (request.action) {
    case "set":
      return plansOfSet(intent, request);
    case "create":
      return [create(intent, request)];
    case "update":
      return plansOfUpdate(intent, request);
    case "compareAndSwap":
      return [swap(intent, request)];
    case "delete":
      return plansOfDelete(intent, request);
    case "compareAndDelete":
      return [compareAndDelete(intent, request)];
  }
}

/** A known target leaves one plan only. */
function plansOfSet(intent: WriteIntent, request: SetRequest): readonly TxnPlan[] {
  const { target } = intent.assumptions;
  const replace = request.dir
    ? turnIntoDirectory(intent)
    : change(intent, request, [isPresent(fileOf(intent))]);
  if (request.refresh && !request.dir) return [replace];
  if (target?.file !== undefined) return [replace];
  const create = createNode(intent, request.dir === true, [], request.value);
  return target === undefined ? [replace, create] : [create];
}

function create(intent: WriteIntent, request: CreateRequest): TxnPlan {
  const { schema, assumptions, nameRevision: number } = intent;
  if (number === undefined) return createNode(intent, request.dir === true, [], request.value);
  const order = schema.order(parentPath(intent.path));
  const plan = createNode(
    intent,
    request.dir === true,
    [putWithoutPrevious(order, "", assumptions.lease)],
    request.value,
  );
  const named = [isOlderThan(order, number), isAtRevision(schema.offset, intent.offsetAt)];
  // etcd refuses the transaction if its store has not reached this revision: it went back since then.
  const hasReached = atRevision(read(order), number - 1);
  return { ...plan, if: [...named, ...plan.if], do: [...plan.do, hasReached] };
}

function plansOfUpdate(intent: WriteIntent, request: UpdateRequest): readonly TxnPlan[] {
  const { target } = intent.assumptions;
  if (target !== undefined && isDirectory(target)) return [changeDirectory(intent)];
  return [change(intent, request, [isPresent(fileOf(intent))])];
}

function swap(intent: WriteIntent, request: CompareAndSwapRequest): TxnPlan {
  return change(intent, request, conditionsOf(intent, request));
}

function compareAndDelete(intent: WriteIntent, request: CompareAndDeleteRequest): TxnPlan {
  return {
    if: conditionsOf(intent, request),
    do: [remove(fileOf(intent)), record(intent, false)],
    replaces: "file",
    node: "file",
  };
}

function plansOfDelete(intent: WriteIntent, { recursive }: DeleteRequest): readonly TxnPlan[] {
  if (recursive) return plansOfRemoval(intent);
  const { target } = intent.assumptions;
  if (target !== undefined && isDirectory(target)) return [removeEmpty(intent)];
  const file = fileOf(intent);
  return [
    {
      if: [isPresent(file)],
      do: [remove(file), record(intent, false)],
      replaces: "file",
      node: "file",
    },
  ];
}

/** A removal without its action record. */
export function withoutPuts(plan: TxnPlan): TxnPlan {
  return { ...plan, do: plan.do.filter((operation) => !("request_put" in operation)) };
}

/** Creates a node. The range is compared last, because it may be large. */
function createNode(
  intent: WriteIntent,
  dir: boolean,
  others: readonly RequestOp[],
  value?: string,
): TxnPlan {
  const { assumptions, schema, path, lease } = intent;
  const [file, marker] = [schema.file(path), schema.marker(path)];
  const node = dir ? put(marker, markerValue(intent), lease) : put(file, value ?? "", lease);
  return {
    if: [
      isAbsent(file),
      isAbsent(marker),
      ...assumptions.conditionsIfNew,
      isEmpty(schema.filesBelow(path)),
    ],
    do: [
      node,
      ...assumptions.creates,
      ...others,
      ...(dir ? [] : ttlRecordOf(intent)),
      ...recordOf(intent, dir),
    ],
    replaces: dir ? "directory" : "file",
    node: dir ? "directory" : "file",
  };
}

/** Changes an existing file. */
function change(
  intent: WriteIntent,
  request: SetRequest | UpdateRequest | CompareAndSwapRequest,
  conditions: readonly Compare[],
): TxnPlan {
  const value = request.refresh ? undefined : (request.value ?? "");
  return {
    if: [...conditions, ...intent.assumptions.conditionsIfExists],
    do: [
      put(fileOf(intent), value, intent.lease),
      ...ttlRecordOf(intent),
      ...recordOf(intent, false),
    ],
    replaces: "file",
    node: "file",
  };
}

function turnIntoDirectory(intent: WriteIntent): TxnPlan {
  const { schema, path, assumptions, lease } = intent;
  const file = schema.file(path);
  return {
    if: [isPresent(file), ...assumptions.conditionsIfExists],
    do: [remove(file), put(schema.marker(path), markerValue(intent), lease), record(intent, true)],
    replaces: "file",
    node: "directory",
  };
}

/** Changes the TTL of a directory; an implied one gets a marker. */
function changeDirectory(intent: WriteIntent): TxnPlan {
  const { schema, path, assumptions, lease } = intent;
  const marker = schema.marker(path);
  const previous = assumptions.target?.marker;
  return {
    if: [
      previous === undefined ? isAbsent(marker) : isAtRevision(marker, previous.mod_revision),
      isAbsent(schema.file(path)),
      ...(previous === undefined ? assumptions.conditionsIfNew : assumptions.conditionsIfExists),
    ],
    do: [
      put(marker, markerValue(intent), lease),
      ...(previous === undefined ? assumptions.creates : []),
      record(intent, true),
    ],
    replaces: "directory",
    node: "directory",
  };
}

/** Removes a directory if it is still empty. */
function removeEmpty(intent: WriteIntent): TxnPlan {
  const { schema, path } = intent;
  const marker = schema.marker(path);
  return {
    if: [
      isPresent(marker),
      isAbsent(schema.file(path)),
      isEmpty(schema.filesBelow(path)),
      isEmpty(schema.markersBelow(path)),
    ],
    do: [remove(marker), ...removalOfOrders(intent), record(intent, true)],
    replaces: "directory",
    node: "directory",
  };
}

/** Removes a directory, a file or an implied directory, with everything below it. */
function plansOfRemoval(intent: WriteIntent): readonly TxnPlan[] {
  const { schema, path, assumptions } = intent;
  const [file, marker] = [schema.file(path), schema.marker(path)];
  const rest = [
    removeAll(schema.filesBelow(path)),
    removeAll(schema.markersBelow(path)),
    ...removalOfOrders(intent),
  ];
  const removal = (first: string, second: string, dir: boolean): TxnPlan => ({
    if: [isPresent(first)],
    do: [remove(first), remove(second), ...rest, record(intent, dir)],
    replaces: dir ? "directory" : "file",
    node: dir ? "directory" : "file",
  });
  const implied = assumptions.target?.firstKeyBelow;
  if (implied !== undefined && assumptions.target?.marker === undefined) {
    return [{ ...removal(marker, file, true), if: [isPresent(implied.key)] }];
  }
  return [removal(file, marker, false), removal(marker, file, true)];
}

function removalOfOrders({ schema, path }: WriteIntent): readonly RequestOp[] {
  return [removeAll(schema.ordersBelow(path)), removeOne(schema.order(path))];
}

function removeOne(key: Bytes): RequestOp {
  return { request_delete_range: { key } };
}

/** A revision that no key can have. */
const NO_REVISION = -1;

/** The comparisons of a condition. A missing file fails both of them. */
function conditionsOf(
  intent: WriteIntent,
  { prevValue, prevIndex }: Condition,
): readonly Compare[] {
  const file = fileOf(intent);
  return [
    ...(prevIndex
      ? [isAtRevision(file, prevIndex > intent.offset ? prevIndex - intent.offset : NO_REVISION)]
      : []),
    ...(prevValue === undefined ? [] : [hasValue(file, prevValue)]),
  ];
}

/** The TTL record of a file whose directory ends before the file's own TTL. */
function ttlRecordOf({ schema, path, lease, ttlLease: own }: WriteIntent): readonly RequestOp[] {
  return own === NO_LEASE || own === lease ? [] : [putTtlRecord(schema, path, own, lease)];
}

/** A set of a file needs no record: watches read a put without a record as a set. */
function recordOf(intent: WriteIntent, dir: boolean): readonly RequestOp[] {
  const { request } = intent;
  const needsNoRecord = request.action === "set" && !dir && !request.refresh;
  return needsNoRecord ? [] : [record(intent, dir)];
}

function record({ request, path, schema }: WriteIntent, dir: boolean): RequestOp {
  const { action } = request;
  const silent = action !== "create" && "refresh" in request && request.refresh === true;
  return putWithoutPrevious(schema.action, encodeActionRecord({ action, key: path, dir, silent }));
}

function markerValue({ ttlLease: own }: WriteIntent): string {
  return own === NO_LEASE ? "" : own;
}

/**
 * Records the own TTL of a file that is attached to the lease of a directory, in the transaction
 * that puts the file. The record is valid while both have the same revision, so a later write of the
 * file makes it invalid. It is removed with the lease.
 */
export function putTtlRecord(
  schema: KeySchema,
  path: string,
  own: string,
  lease: string,
): RequestOp {
  return putWithoutPrevious(schema.ttl(path), own, lease);
}

function fileOf({ schema, path }: WriteIntent): string {
  return schema.file(path);
}
