/**
 * A node of the key space as etcd shows it: a file with a `value`, or a directory with `dir: true`.
 *
 * Absent properties are absent in etcd's JSON as well: nothing is ever `null` or `false` here.
 */
export interface EtcdNode {
  /** Full path, beginning with `/`. The root directory reads `/`. */
  readonly key: string;
  /** Content of a file. Absent on directories, and on the node of a delete or an expiry. */
  readonly value?: string;
  /** Present, and true, on directories only. */
  readonly dir?: true;
  /** When the node expires: RFC 3339 in UTC, by the clock of the member that took the write. */
  readonly expiration?: string;
  /** Seconds left, rounded up; absent when that is 0, negative when the expiry is overdue. */
  readonly ttl?: number;
  /** Children of a directory, hidden ones (`_…`) left out; deeper levels only in recursive reads. */
  readonly nodes?: readonly EtcdNode[];
  /** Index of the last write to the node; 0 for the root, of which etcd tells none. */
  readonly modifiedIndex: number;
  /** Index at which the node was created, a plain set included; 0 for the root. */
  readonly createdIndex: number;
}

/**
 * The moment at which `node` expires, or `undefined` for a node without a TTL.
 *
 * The moment is an absolute time of the clock of the member that took the write. It says nothing
 * exact about this machine's clock: do not prove the ownership of a lock with it.
 */
export function expirationTime(node: EtcdNode): Date | undefined {
  return node.expiration === undefined ? undefined : new Date(node.expiration);
}
