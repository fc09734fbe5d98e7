import { ProtocolError } from "../errors/cluster-errors.js";
import type { EtcdNode } from "../model/node.js";
import { isObject, type JsonObject } from "./json.js";

const REQUIRED = ["key", "modifiedIndex", "createdIndex"] as const;

/**
 * Takes a value for a node after checking it and everything below it. The nodes are not copied:
 * a walk is cheap beside the parsing of the text that they came from.
 *
 * @throws ProtocolError naming the first property that is not as etcd sends it
 */
export function readNode(value: unknown, origin: string): EtcdNode {
  if (isObject(value) && value.key === undefined) {
    // Only the root comes without a key and indexes.
    const root = { key: "/", modifiedIndex: 0, createdIndex: 0, ...value };
    checkNode(root, origin);
    return root;
  }
  checkNode(value, origin);
  return value;
}

/** Without recursion: a tree may be deeper than the stack. */
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
  if (!isObject(node)) throw misshapen(origin, "node");
  for (const property in node) {
    if (!isProperty(node, property)) throw misshapen(origin, property);
  }
  for (const property of REQUIRED) {
    if (node[property] === undefined) throw misshapen(origin, property);
  }
}

/** Whether a property is as etcd sends it; unknown ones pass. */
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

function misshapen(origin: string, property: string): ProtocolError {
  return new ProtocolError(
    `${origin}: the answer's "${property}" is missing, of another type, or beyond 2^53 - 1`,
  );
}
