import { ProtocolError } from "../errors/cluster-errors.js";
import type { EtcdNode, RemovedNode } from "../model/node.js";
import { isCount, isObject, type JsonObject } from "./json.js";

const REQUIRED = ["key", "modifiedIndex", "createdIndex"] as const;

/** What kind of node is expected: one that exists, or one that was removed, without value and children. */
type NodeState = "present" | "removed";

/**
 * Checks that a value is a node, with everything below it. Does not copy the nodes, because the
 * check is cheap compared with parsing.
 *
 * @throws ProtocolError naming the first invalid property
 */
export function readNode(value: unknown, origin: string): EtcdNode {
  const node = withKey(value);
  checkNode(node, "present", origin);
  // `checkKind` has proved that it is one of the two.
  return node as EtcdNode;
}

/** Checks that a value is the node of a removal. @throws ProtocolError as {@link readNode} */
export function readRemovedNode(value: unknown, origin: string): RemovedNode {
  const node = withKey(value);
  checkNode(node, "removed", origin);
  return node as RemovedNode;
}

/** Only the root has no key and no indexes. */
function withKey(value: unknown): unknown {
  const isRoot = isObject(value) && value.key === undefined;
  return isRoot ? { key: "/", modifiedIndex: 0, createdIndex: 0, ...value } : value;
}

/** The properties of a node that are needed for the check of its kind and its children. */
interface CheckedNode {
  readonly key: string;
  readonly dir?: true;
  readonly value?: string;
  readonly nodes?: readonly unknown[];
}

/** Uses no recursion: a tree may be deeper than the stack. */
function checkNode(value: unknown, state: NodeState, origin: string): void {
  checkProperties(value, origin);
  checkKind(value, state, origin);
  if (!value.key.startsWith("/")) throw invalidProperty(origin, "key");
  const unchecked = [value];
  for (let parent = unchecked.pop(); parent !== undefined; parent = unchecked.pop()) {
    const prefix = parent.key === "/" ? "/" : `${parent.key}/`;
    for (const child of parent.nodes ?? []) {
      checkProperties(child, origin);
      checkKind(child, "present", origin);
      if (!isChildKey(child.key, prefix)) throw invalidProperty(origin, "key");
      if (child.nodes !== undefined) unchecked.push(child);
    }
  }
}

function checkProperties(node: unknown, origin: string): asserts node is CheckedNode {
  if (!isObject(node)) throw invalidProperty(origin, "node");
  for (const property in node) {
    if (!isProperty(node, property)) throw invalidProperty(origin, property);
  }
  for (const property of REQUIRED) {
    if (node[property] === undefined) throw invalidProperty(origin, property);
  }
}

/** A file has a value, and a directory may have children. */
function checkKind({ dir, value, nodes }: CheckedNode, state: NodeState, origin: string): void {
  if (nodes !== undefined && (dir === undefined || state === "removed")) {
    throw invalidProperty(origin, "nodes");
  }
  const hasValue = dir === undefined && state === "present";
  if (hasValue !== (value !== undefined)) throw invalidProperty(origin, "value");
}

/** Whether a key consists of the prefix and one name. */
function isChildKey(key: string, prefix: string): boolean {
  return (
    key.startsWith(prefix) &&
    key.length > prefix.length &&
    key.indexOf("/", prefix.length) === -1 &&
    !(key.endsWith(".") && /^\.\.?$/.test(key.slice(prefix.length)))
  );
}

/** Whether a property is valid. Unknown properties are. */
function isProperty(node: JsonObject, property: string): boolean {
  const value = node[property];
  switch (property) {
    case "key":
    case "value":
      return typeof value === "string";
    case "expiration":
      return typeof value === "string" && !Number.isNaN(Date.parse(value));
    case "modifiedIndex":
    case "createdIndex":
      return isCount(value);
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
    `${origin}: "${property}" of a node in the response is missing, not valid here, or exceeds 2^53 - 1`,
  );
}
