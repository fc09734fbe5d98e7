import type { AnyNode } from "../model/node.js";
import type { EtcdResponse } from "../model/response.js";
import { goJson } from "./go-json.js";
import { joined, type NodeFields, nodePieces } from "./node-text.js";

/** Serializes a response or event as etcd does, including the newline. */
export function encodeResponse(response: EtcdResponse): string {
  const { action, node, prevNode } = response;
  if (node.nodes !== undefined || prevNode?.nodes !== undefined) {
    return [...responsePieces(response)].join("");
  }
  // Most responses have no children: pieces would take twice as long.
  const before = prevNode === undefined ? "" : `,"prevNode":${textOf(prevNode)}`;
  return `{"action":"${action}","node":${textOf(node)}${before}}\n`;
}

function textOf(node: AnyNode): string {
  const { before, after } = fieldsOf(node);
  return `{${joined(before, after)}}`;
}

/** The same in pieces of about one node each. */
export function* responsePieces({
  action,
  node,
  prevNode,
}: EtcdResponse): Generator<string, void, undefined> {
  yield `{"action":"${action}","node":`;
  yield* nodePieces(node, fieldsOf);
  if (prevNode !== undefined) {
    yield ',"prevNode":';
    yield* nodePieces(prevNode, fieldsOf);
  }
  yield "}\n";
}

/** Serializes the response to a write with `noValueOnSuccess`. */
export function encodeReceipt({ action }: EtcdResponse): string {
  return `{"action":"${action}"}\n`;
}

/** Fields in etcd's order. The root has no key and no indexes. */
function fieldsOf(node: AnyNode): NodeFields {
  const { key, value, dir, expiration, ttl, modifiedIndex, createdIndex } = node;
  const isRoot = key === "/";
  let before = isRoot ? "" : `"key":${goJson(key)}`;
  if (value !== undefined) before = joined(before, `"value":${goJson(value)}`);
  if (dir) before = joined(before, '"dir":true');
  if (expiration !== undefined) before = joined(before, `"expiration":"${expiration}"`);
  if (ttl !== undefined) before = joined(before, `"ttl":${ttl}`);
  const after = isRoot ? "" : `"modifiedIndex":${modifiedIndex},"createdIndex":${createdIndex}`;
  return { before, after };
}
