import type { EtcdClient, EtcdNode } from "../../src/index.js";

/** A write, and how to see whether it was applied. */
export interface Write {
  readonly name: string;
  /** The value of the key before the write. */
  readonly prepared?: "file" | "directory";
  send(etcd: EtcdClient, key: string, signal?: AbortSignal): Promise<unknown>;
  /** Whether the key looks as it does after the write. */
  isDone(node: EtcdNode | undefined): boolean;
}

const hasNewValue = (node?: EtcdNode): boolean => node?.value === "new";
const isGone = (node?: EtcdNode): boolean => node === undefined;

/** All writes of the key space. */
export const WRITES: readonly Write[] = [
  {
    name: "set",
    send: (etcd, key, signal) => etcd.setNode(key, "new", { signal }),
    isDone: hasNewValue,
  },
  {
    name: "create",
    send: (etcd, key, signal) => etcd.createNode(key, "new", { signal }),
    isDone: hasNewValue,
  },
  {
    name: "createInOrder",
    prepared: "directory",
    send: (etcd, key, signal) => etcd.createInOrderNode(key, "new", { signal }),
    isDone: (node) => node?.nodes?.length === 1,
  },
  {
    name: "update",
    prepared: "file",
    send: (etcd, key, signal) => etcd.updateNode(key, "new", { signal }),
    isDone: hasNewValue,
  },
  {
    name: "refresh",
    prepared: "file",
    send: (etcd, key, signal) => etcd.refreshNode(key, 10_000, { signal }),
    isDone: (node) => node?.ttl !== undefined,
  },
  {
    name: "compareAndSwap",
    prepared: "file",
    send: (etcd, key, signal) =>
      etcd.compareAndSwapNode(key, { prevValue: "old" }, "new", { signal }),
    isDone: hasNewValue,
  },
  {
    name: "delete",
    prepared: "file",
    send: (etcd, key, signal) => etcd.deleteNode(key, { signal }),
    isDone: isGone,
  },
  {
    name: "compareAndDelete",
    prepared: "file",
    send: (etcd, key, signal) => etcd.compareAndDeleteNode(key, { prevValue: "old" }, { signal }),
    isDone: isGone,
  },
];

/** Creates what a write needs. */
export async function prepare(etcd: EtcdClient, key: string, write: Write): Promise<void> {
  if (write.prepared === "file") await etcd.setNode(key, "old");
  if (write.prepared === "directory") await etcd.setNode(key, null, { dir: true });
}

/** Whether a write was applied, by a linearizable read. */
export async function isDone(etcd: EtcdClient, key: string, write: Write): Promise<boolean> {
  const answer = await etcd.getNode(key, { quorum: true, ignoreKeyNotFound: true });
  return write.isDone(answer?.node);
}

/** Index of the key space. Only an applied write advances it, by one. */
export async function currentIndex(etcd: EtcdClient): Promise<number> {
  return (await etcd.getNode("/", { quorum: true })).etcdIndex;
}
