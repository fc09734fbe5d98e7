import type { WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import { pathOf } from "./path.js";
import type { StoreEvent } from "./store-event.js";

/**
 * Whether a live watch would deliver an event. etcd matches history more loosely: by a plain prefix
 * of the key, and including hidden keys.
 */
export function matchesWatch(
  { key, recursive }: WatchRequest,
  { node, prevNode, action }: Pick<EtcdResponse, "node" | "prevNode" | "action">,
): boolean {
  const watched = key === "/" ? "" : key.replace(/\/$/, "");
  if (node.key === watched || (watched === "" && node.key === "/")) return true;
  if (recursive === true && node.key.startsWith(`${watched}/`)) {
    return !/\/_/.test(node.key.slice(watched.length));
  }
  // The removal of a directory above removes the key too. In a namespace this can be its root.
  const removed = action === "delete" || action === "expire";
  const isDirectory = node.dir === true || prevNode?.dir === true;
  return removed && isDirectory && (node.key === "/" || watched.startsWith(`${node.key}/`));
}

/** Whether the hub would have delivered an event of this store, when it was new, to a watch. */
export function matchesLiveWatch(request: WatchRequest, event: StoreEvent): boolean {
  if (event.silent === true || !matchesWatch(request, event)) return false;
  const path = pathOf(request.key);
  // The removal of a directory concerns the nodes that it had.
  const isAbove = path.startsWith(`${event.node.key}/`);
  return !isAbove || event.removed?.includes(path) === true;
}
