/** Properties of files and directories. */
export interface NodeProperties {
  /** Full path, beginning with `/`. The root directory reads `/`. */
  readonly key: string;
  /** Expiration time: RFC 3339 in UTC, by the clock of the member that received the write. */
  readonly expiration?: string;
  /** Remaining seconds, rounded up; absent when 0, negative when the expiry is overdue. */
  readonly ttl?: number;
  /** Index of the last write to the node; 0 for the root, for which etcd sends none. */
  readonly modifiedIndex: number;
  /** Index of the write that created or set the node; 0 for the root. */
  readonly createdIndex: number;
}

/** A file: a node with a value. */
export interface EtcdFile extends NodeProperties {
  readonly dir?: undefined;
  readonly value: string;
  readonly nodes?: undefined;
}

/** A directory: a node with children. */
export interface EtcdDirectory extends NodeProperties {
  readonly dir: true;
  readonly value?: undefined;
  /** Children, without hidden ones (`_…`); deeper levels only in recursive reads. Absent when there are none. */
  readonly nodes?: readonly EtcdNode[];
}

/**
 * A node of the key space as etcd sends it: `node.dir` distinguishes directories from files.
 *
 * A property that is absent in etcd's JSON is absent here too: no property is `null` or `false`.
 *
 * @example
 * if (node.dir) console.log(node.nodes?.length ?? 0, "children");
 * else console.log("value", node.value);
 */
export type EtcdNode = EtcdFile | EtcdDirectory;

/** The node of a delete or an expiry: the removed node, without its value and children. */
export interface RemovedNode extends NodeProperties {
  readonly dir?: true;
  readonly value?: undefined;
  readonly nodes?: undefined;
}

/** The node of any response. */
export type AnyNode = EtcdNode | RemovedNode;

/** Whether the node of a read or a write exists. A directory that an event removes looks as if it did: look at the action. */
export function isPresent(node: AnyNode): node is EtcdNode {
  return node.dir === true || node.value !== undefined;
}

/**
 * The time at which `node` expires, or `undefined` for a node without a TTL.
 *
 * It is a time of the clock of the member that received the write, which may differ from this machine's
 * clock: do not use it to prove the ownership of a lock.
 */
export function expirationTime(node: EtcdNode | RemovedNode): Date | undefined {
  return node.expiration === undefined ? undefined : new Date(node.expiration);
}
