import type { EtcdNode } from "../model/node.js";
import type { EtcdResponse } from "../model/response.js";
import { goJson } from "./go-json.js";

/** An answer or event as etcd writes it, newline included. */
export function encodeAnswer({ action, node, prevNode }: EtcdResponse): string {
  const before = prevNode === undefined ? "" : `,"prevNode":${encodeNode(prevNode)}`;
  return `{"action":"${action}","node":${encodeNode(node)}${before}}\n`;
}

/** The answer to a write that asked for no nodes. */
export function encodeReceipt({ action }: EtcdResponse): string {
  return `{"action":"${action}"}\n`;
}

/** A node with its fields in etcd's order. The root has neither key nor indexes. */
function encodeNode(node: EtcdNode): string {
  const { key, value, dir, expiration, ttl, nodes, modifiedIndex, createdIndex } = node;
  const isRoot = key === "/";
  const fields: string[] = [];
  if (!isRoot) fields.push(`"key":${goJson(key)}`);
  if (value !== undefined) fields.push(`"value":${goJson(value)}`);
  if (dir) fields.push('"dir":true');
  if (expiration !== undefined) fields.push(`"expiration":"${expiration}"`);
  if (ttl !== undefined) fields.push(`"ttl":${ttl}`);
  if (nodes !== undefined) fields.push(`"nodes":[${nodes.map(encodeNode).join(",")}]`);
  if (!isRoot) fields.push(`"modifiedIndex":${modifiedIndex},"createdIndex":${createdIndex}`);
  return `{${fields.join(",")}}`;
}
