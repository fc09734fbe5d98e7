import type { AnyNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { goJson } from "../../wire/go-json.js";
import { type NodeFields, nodeText } from "../../wire/node-text.js";

/** A response in the format of etcdctl's `-o json`: its order, its nulls, and a root without a key. */
export function responseJson({ action, node, prevNode }: EtcdResponse): string {
  const before = prevNode === undefined ? "null" : nodeText(prevNode, fieldsOf);
  return `{"action":${goJson(action)},"node":${nodeText(node, fieldsOf)},"prevNode":${before}}`;
}

function fieldsOf(node: AnyNode): NodeFields {
  const { key, dir, value = "", nodes, createdIndex, modifiedIndex, expiration, ttl } = node;
  const before = goJson({ key: shownKey(key), dir, value });
  const after = goJson({
    ...(nodes === undefined && { nodes: null }),
    ...{ createdIndex, modifiedIndex, expiration, ttl },
  });
  return { before: before.slice(1, -1), after: after.slice(1, -1) };
}

/** etcd shows the root with an empty key. */
export function shownKey(key: string): string {
  return key === "/" ? "" : key;
}
