import { ProtocolError } from "../errors/cluster-errors.js";
import type { EtcdNode } from "../model/node.js";
import { isObject, type JsonObject } from "./json.js";

const REQUIRED = ["key", "modifiedIndex", "createdIndex"] as const;

/**
 * Checks that a value is a node, with everything below it. Does not copy the nodes, because the
 * check is cheap compared with parsing.
 *
 * @throws ProtocolError naming the first invalid property
 */
export function readNode(value: unknown, origin: string): EtcdNode {
  if (isObject(value) && value.key === undefined) {
    // Only the root has no key and no indexes.
    const root = { key: "/", modifiedIndex: 0, createdIndex: 0, ...value };
    checkNode(root, origin);
    return root;
  }
  checkNode(value, origin);
  return value;
}

/** Uses no recursion: a tree may be deeper than the stack. */
function checkNode(value: unknown, origin: string): asserts value is EtcdNode {
  const unchecked = [value];
  while (unchecked.length > 0) {
    const node = unchecked.pop();
    checkProperties(node, origin);
    for (const child of node.nodes ?? []) unchecked.push(child);
  }
}

function checkProperties(
  node: unknown,
  origin: string,
): asserts node is { readonly nodes?: readonly unknown[] } {
  if (!isObject(node)) throw invalidProperty(origin, "node");
  for (const property in node) {
    if (!isProperty(node, property)) throw invalidProperty(origin, property);
  }
  for (const property of REQUIRED) {
    if (node[property] === undefined) throw invalidProperty(origin, property);
  }
}

/** Whether a property is valid. Unknown properties are. */
function isProperty(node: JsonObject, property: string): boolean {
  const value = node[property];
  switch (property) {
    case "key":
    case "value":
    case "expiration":
      return typeof value === "string";
    case "modifiedIndex":
    case "createdIndex":
      return Number.isSafeInteger(value) && Number(value) >= 0;
    case "ttl":
      return Number.isSafeInteger(value);
    case "dir":
      return value === true;
    case "nodes":
      return Array.isArray(value);
    default:
      return true;
  }
}

function invalidProperty(origin: string, property: string): ProtocolError {
  return new ProtocolError(
    `${origin}: "${property}" of the response is missing, has another type, or exceeds 2^53 - 1`,
  );
}
