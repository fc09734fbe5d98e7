// @ts-check
// Get a key: the complete response of etcd, or `KeyNotFoundError`.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-get";

await etcd.setNode(key, "here");

const { node, etcdIndex } = await etcd.getNode(key);
console.log(`${node.key} = ${node.value}, last changed at index ${node.modifiedIndex}`);
console.log(`the key space is at index ${etcdIndex}`);

// A member responds from its own state, which may be stale. A quorum read is linearizable:
const latest = await etcd.getNode(key, { quorum: true });
console.log(`read with quorum: ${latest.node.value}`);

await etcd.deleteNode(key);
try {
  await etcd.getNode(key);
} catch (error) {
  if (!isEtcdError(error, "KeyNotFound")) throw error;
  console.log(`${error.key} does not exist`);
}

await etcd.close();
