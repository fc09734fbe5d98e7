import type { EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import { goJson } from "../../wire/go-json.js";

/** An answer as etcdctl's `-o json` shows it: its order, its nulls, and a root without a key. */
export function responseJson({ action, node, prevNode }: EtcdResponse): string {
  return goJson({ action, node: jsonNode(node), prevNode: prevNode ? jsonNode(prevNode) : null });
}

function jsonNode(node: EtcdNode): object {
  const { key, dir, value = "", nodes, createdIndex, modifiedIndex, expiration, ttl } = node;
  return {
    key: shownKey(key),
    dir,
    value,
    nodes: nodes?.map(jsonNode) ?? null,
    createdIndex,
    modifiedIndex,
    expiration,
    ttl,
  };
}

/** etcd gives the root no key. */
export function shownKey(key: string): string {
  return key === "/" ? "" : key;
}
