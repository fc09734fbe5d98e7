import type { AnyNode } from "../../model/node.js";

/** A node to copy or compare, without its children. */
export interface TreeEntry {
  readonly key: string;
  /** Present on files only. */
  readonly value?: string;
  /** Present, and true, on directories only. */
  readonly dir?: true;
  /** Remaining seconds when it was read, at least 1; absent: the node does not expire. */
  readonly ttl?: number;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
}

export function entryOf(node: AnyNode): TreeEntry {
  const { key, value = "", dir, expiration, ttl = 0, createdIndex, modifiedIndex } = node;
  return {
    key,
    ...(dir ? { dir } : { value }),
    // etcd omits a TTL of 0.
    ...(expiration !== undefined && { ttl: Math.max(ttl, 1) }),
    createdIndex,
    modifiedIndex,
  };
}
