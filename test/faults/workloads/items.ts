import type { EtcdClient } from "../../../src/index.js";
import type { Item } from "../checks/in-order.js";

/** The files of a directory, from a linearizable read. */
export async function itemsIn(etcd: EtcdClient, directory: string): Promise<Item[]> {
  const options = { quorum: true, sorted: true, ignoreKeyNotFound: true } as const;
  const response = await etcd.getNode(directory, options);
  return (response?.node.nodes ?? []).flatMap(({ key, value }) =>
    value === undefined ? [] : [{ key, value }],
  );
}
