import type { AnyNode } from "../model/node.js";
import type { EtcdResponse } from "../model/response.js";
import { goJson } from "./go-json.js";
import { type NodeFields, nodePieces } from "./node-text.js";

/** Serializes a response or event as etcd does, including the newline. */
export function encodeResponse(response: EtcdResponse): string {
  return [...responsePieces(response)].join("");
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
  const fields: string[] = [];
  if (!isRoot) fields.push(`"key":${goJson(key)}`);
  if (value !== undefined) fields.push(`"value":${goJson(value)}`);
  if (dir) fields.push('"dir":true');
  if (expiration !== undefined) fields.push(`"expiration":"${expiration}"`);
  if (ttl !== undefined) fields.push(`"ttl":${ttl}`);
  const after = isRoot ? "" : `"modifiedIndex":${modifiedIndex},"createdIndex":${createdIndex}`;
  return { before: fields.join(","), after };
}
