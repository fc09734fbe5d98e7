import type { EtcdNode } from "../../model/node.js";

/** A node on its way from one key space to another, without what is below it. */
export interface TreeEntry {
  readonly key: string;
  /** Of a file. */
  readonly value?: string;
  /** Present, and true, on directories only. */
  readonly dir?: true;
  /** Seconds left when it was read, at least 1; absent: it stays for ever. */
  readonly ttl?: number;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
}

export function entryOf(node: EtcdNode): TreeEntry {
  const { key, value = "", dir, expiration, ttl = 0, createdIndex, modifiedIndex } = node;
  return {
    key,
    ...(dir ? { dir } : { value }),
    // etcd leaves out a TTL that has come down to 0.
    ...(expiration !== undefined && { ttl: Math.max(ttl, 1) }),
    createdIndex,
    modifiedIndex,
  };
}
