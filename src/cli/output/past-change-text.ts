import { styleText } from "node:util";
import type { KeyHistory, PastChange } from "../../key-space/past.js";
import type { AnyNode } from "../../model/node.js";
import { oneLine } from "./one-line.js";
import { type NodeRecord, nodeRecord } from "./print-response.js";
import { valueText } from "./value-text.js";

/** A change of a key as a record, or what is known of the changes that etcd has compacted. */
export interface PastRecord {
  readonly index: number;
  readonly action: PastChange["action"] | "compacted";
  readonly refresh?: true;
  readonly by?: string;
  /** Absent for `compacted` if the key did not exist. */
  readonly node?: NodeRecord;
  readonly prevNode?: NodeRecord;
}

/** A node of the past as a record, without the `ttl`, which would count from now. */
export function pastNode(node: AnyNode): NodeRecord {
  const { ttl: _, ...record } = nodeRecord(node);
  return record;
}

export function pastRecord({ index, action, refresh, by, node, prevNode }: PastChange): PastRecord {
  return {
    ...{ index, action },
    ...(refresh && { refresh }),
    ...(by !== undefined && { by }),
    node: pastNode(node),
    ...(prevNode && { prevNode: pastNode(prevNode) }),
  };
}

/** The state before the first change, if earlier ones were compacted. */
export function compactedRecord({ firstIndex, initial }: KeyHistory): PastRecord {
  const node = initial && { node: pastNode(initial) };
  return { index: firstIndex - 1, action: "compacted", ...node };
}

/** Width of the longest action. */
const ACTION_WIDTH = "compareAndDelete".length;

/** A record of one key in one line: `+` is created, `~` is changed, `-` is removed. */
export function pastLine(record: PastRecord): string {
  return lineOf(record, contentText(record));
}

/** The same for a record of one of several keys. */
export function keyedPastLine(record: PastRecord): string {
  return lineOf(record, keyedText(record));
}

function lineOf(record: PastRecord, content: string): string {
  const { index, action, refresh, by, node } = record;
  const notes = [
    ...(refresh ? ["refresh"] : []),
    ...(node?.expiration === undefined ? [] : [`expires ${node.expiration}`]),
    ...(by === undefined ? [] : [`by ${oneLine(by)}`]),
  ];
  const after = notes.length === 0 ? "" : ` ${styleText("dim", `(${notes.join(", ")})`)}`;
  return `${index}  ${action.padEnd(ACTION_WIDTH)}  ${content}${after}`;
}

function contentText({ action, node, prevNode }: PastRecord): string {
  if (action === "compacted") return node === undefined ? "did not exist" : `= ${shown(node)}`;
  if (node === undefined || isRemoval(action)) {
    return styleText("red", prevNode === undefined ? "-" : `- ${shown(prevNode)}`);
  }
  if (prevNode === undefined) return styleText("green", `+ ${shown(node)}`);
  if (prevNode.value === node.value) return styleText("yellow", `~ ${shown(node)}`);
  return styleText("yellow", `~ ${shown(prevNode)} → ${shown(node)}`);
}

function keyedText({ action, node, prevNode }: PastRecord): string {
  if (node === undefined || isRemoval(action)) {
    return styleText("red", `- ${named(node?.key, prevNode)}`);
  }
  if (prevNode === undefined) return styleText("green", `+ ${named(node.key, node)}`);
  const before = named(node.key, prevNode);
  const after = prevNode.value === node.value ? "" : ` → ${shown(node)}`;
  return styleText("yellow", `~ ${before}${after}`);
}

function named(key = "", node: NodeRecord | undefined): string {
  const name = oneLine(key);
  if (node?.value !== undefined) return `${name} = ${valueText(node.value)}`;
  return node?.dir && !name.endsWith("/") ? `${name}/` : name;
}

function isRemoval(action: PastRecord["action"]): boolean {
  return action === "delete" || action === "compareAndDelete" || action === "expire";
}

function shown({ value, dir }: Pick<AnyNode, "value" | "dir">): string {
  return value === undefined ? (dir ? "directory" : "") : valueText(value);
}
