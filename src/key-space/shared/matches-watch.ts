import type { WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";

/**
 * Whether an event is one that a live watch would deliver. History is searched more loosely: by a
 * plain prefix of the key's text, and without regard to hidden keys.
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
  // The key goes with a directory above it, which for a namespace may be its root.
  const removed = action === "delete" || action === "expire";
  const isDirectory = node.dir === true || prevNode?.dir === true;
  return removed && isDirectory && (node.key === "/" || watched.startsWith(`${node.key}/`));
}
