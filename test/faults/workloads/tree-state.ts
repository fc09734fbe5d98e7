import type { EtcdClient, EtcdNode, RemovedNode } from "../../../src/index.js";
import type { TreeFile, TreeState } from "../checks/committed-tree.js";

/** All files of a directory, from a linearizable read. */
export async function readTree(etcd: EtcdClient, directory: string): Promise<TreeState> {
  // The root always exists, so that the response has an index.
  const { node, etcdIndex } = await etcd.getNode("/", { quorum: true, recursive: true });
  const files = filesOf(node).filter(({ key }) => key.startsWith(`${directory}/`));
  return { index: etcdIndex, files };
}

/** The files of a node that was read with everything below it. */
export function filesOf({
  key,
  value,
  modifiedIndex: index,
  nodes = [],
}: EtcdNode | RemovedNode): TreeFile[] {
  return value === undefined ? nodes.flatMap(filesOf) : [{ key, value, index }];
}

/** Nanoseconds of the machine's monotonic clock. */
export function machineTime(): number {
  return Number(process.hrtime.bigint());
}
