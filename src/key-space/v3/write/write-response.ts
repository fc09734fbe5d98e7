import type { KeyValue } from "../../../etcd3/rpcs.js";
import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { TxnResult } from "../../../etcd3/txn-result.js";
import { isRemoval } from "../../../model/actions.js";
import type { AnyNode, EtcdNode } from "../../../model/node.js";
import type { EtcdResponse } from "../../../model/response.js";
import { decodeLeaseId } from "../schema/lease-id.js";
import { type NodeView, ownLease, showDirectory, showFile } from "../schema/node-view.js";
import { originOf } from "../schema/v3-tree.js";
import type { TxnPlan, WriteIntent } from "./txn-plan.js";

/** The change of a node by a transaction. */
export interface NodeChange extends Pick<TxnPlan, "node" | "replaces"> {
  readonly kind: "created" | "changed" | "removed";
  /** The previous state of the node; for an implied directory, the key that implied it. */
  readonly previous: KeyValue | undefined;
  /** Whether `previous` is a directory's marker. */
  readonly hadMarker?: boolean;
}

/** The part of a write that its response shows. */
export type Written = Pick<WriteIntent, "request" | "path" | "ttlLease" | "lease">;

/** The part of a transaction's result that its response shows. */
export type ResponseSource = Pick<TxnResult, "header" | "endpoint">;

export function changeBy(intent: WriteIntent, plan: TxnPlan, { results }: TxnResult): NodeChange {
  const { action } = intent.request;
  const { node, replaces } = plan;
  const found = results[0]?.kvs[0];
  const previous =
    found ?? (replaces === "directory" ? intent.assumptions.target?.firstKeyBelow : undefined);
  const kind = isRemoval(action) ? "removed" : previous === undefined ? "created" : "changed";
  return { node, replaces, kind, previous, hadMarker: found !== undefined };
}

/** The lease of a directory's previous TTL, or `NO_LEASE`. Only markers name leases. */
export function previousDirectoryLease({ replaces, hadMarker, previous }: NodeChange): string {
  if (replaces !== "directory" || hadMarker !== true || previous === undefined) return NO_LEASE;
  const id = ownLease(previous);
  return decodeLeaseId(id)?.directory === true ? id : NO_LEASE;
}

/** The response to a write. */
export function responseOf(
  written: Written,
  change: NodeChange,
  result: ResponseSource,
  view: NodeView,
): EtcdResponse {
  const { previous } = change;
  return {
    action: written.request.action,
    ...originOf(result, view.offset),
    node: nodeOf(written, change, result.header.revision, view),
    ...(previous && { prevNode: previousNode(written, change, previous, view) }),
  };
}

function nodeOf(written: Written, change: NodeChange, revision: number, view: NodeView): AnyNode {
  const { path } = written;
  const created = change.replaces === change.node ? change.previous?.create_revision : undefined;
  const kv = {
    value: contentOf(written, change),
    create_revision: created ?? revision,
    mod_revision: revision,
    lease: written.lease,
  };
  const modifiedIndex = revision + view.offset;
  if (change.kind === "removed") {
    const createdIndex = kv.create_revision + view.offset;
    const kind = change.node === "directory" ? ({ dir: true } as const) : {};
    return { key: path, ...kind, modifiedIndex, createdIndex };
  }
  if (change.node === "file") return showFile(path, kv, view);
  return { ...showDirectory(path, kv, true, view), modifiedIndex };
}

function contentOf({ request, ttlLease: own }: Written, { node, previous }: NodeChange): Buffer {
  if (node === "directory") return Buffer.from(own === NO_LEASE ? "" : own);
  if ("refresh" in request && request.refresh && previous !== undefined) return previous.value;
  return Buffer.from(("value" in request && request.value) || "");
}

function previousNode(
  { path }: Written,
  { replaces, hadMarker = false }: NodeChange,
  previous: KeyValue,
  view: NodeView,
): EtcdNode {
  if (replaces === "file") return showFile(path, previous, view);
  return showDirectory(path, previous, hadMarker, view);
}
