import { NO_LEASE } from "../../../etcd3/transaction.js";
import type { KeyValue, TxnResponse } from "../../../etcd3/transaction-answer.js";
import { toBase64 } from "../../../etcd3/v3-json.js";
import type { AnyNode, EtcdNode } from "../../../model/node.js";
import type { EtcdResponse } from "../../../model/response.js";
import { decodeLeaseId } from "../schema/lease-id.js";
import { type NodeView, ownLease, showDirectory, showFile } from "../schema/node-view.js";
import { originOf } from "../schema/v3-tree.js";
import type { TxnPlan, WriteIntent } from "./txn-plan.js";

/** What a transaction has done to its node. */
export interface NodeChange extends Pick<TxnPlan, "node" | "replaces"> {
  readonly kind: "made" | "changed" | "removed";
  /** What the node was before; of an implied directory, the key by which it existed. */
  readonly former: KeyValue | undefined;
  /** Whether `former` is a directory's marker. */
  readonly hadMarker?: boolean;
}

export function changeBy(intent: WriteIntent, plan: TxnPlan, { answers }: TxnResponse): NodeChange {
  const { action } = intent.request;
  const { node, replaces } = plan;
  const found = answers[0]?.found[0];
  const former = found ?? (replaces === "directory" ? intent.assumptions.target?.first : undefined);
  const removed = action === "delete" || action === "compareAndDelete";
  const kind = removed ? "removed" : former === undefined ? "made" : "changed";
  return { node, replaces, kind, former, hadMarker: found !== undefined };
}

/** The lease of the TTL that a directory had before, or none. Only markers name leases. */
export function formerDirectoryLease({ replaces, hadMarker, former }: NodeChange): string {
  if (replaces !== "directory" || hadMarker !== true || former === undefined) return NO_LEASE;
  const id = ownLease(former);
  return decodeLeaseId(id)?.directory === true ? id : NO_LEASE;
}

/** The answer to a write. */
export function responseOf(
  intent: WriteIntent,
  change: NodeChange,
  answer: TxnResponse,
  view: NodeView,
): EtcdResponse {
  const { former } = change;
  return {
    action: intent.request.action,
    ...originOf(answer, view.offset),
    node: nodeOf(intent, change, answer.revision, view),
    ...(former && { prevNode: formerNode(intent, change, former, view) }),
  };
}

function nodeOf(
  intent: WriteIntent,
  change: NodeChange,
  revision: number,
  view: NodeView,
): AnyNode {
  const { path } = intent;
  const created = change.replaces === change.node ? change.former?.createRevision : undefined;
  const kv = {
    key: "",
    value: contentOf(intent, change),
    createRevision: created ?? revision,
    modRevision: revision,
    lease: intent.lease,
  };
  const modifiedIndex = revision + view.offset;
  if (change.kind === "removed") {
    const createdIndex = kv.createRevision + view.offset;
    const kind = change.node === "directory" ? ({ dir: true } as const) : {};
    return { key: path, ...kind, modifiedIndex, createdIndex };
  }
  if (change.node === "file") return showFile(path, kv, view);
  return { ...showDirectory(path, kv, true, view), modifiedIndex };
}

function contentOf({ request, own }: WriteIntent, { node, former }: NodeChange): string {
  if (node === "directory") return own === NO_LEASE ? "" : toBase64(own);
  if ("refresh" in request && request.refresh && former !== undefined) return former.value;
  return "value" in request ? toBase64(request.value ?? "") : "";
}

function formerNode(
  { path }: WriteIntent,
  { replaces, hadMarker = false }: NodeChange,
  former: KeyValue,
  view: NodeView,
): EtcdNode {
  if (replaces === "file") return showFile(path, former, view);
  return showDirectory(path, former, hadMarker, view);
}
