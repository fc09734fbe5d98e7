// @ts-check
// Get a key: the whole answer of etcd, or `KeyNotFoundError`.
import { EtcdClient, KeyNotFoundError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-get";

await etcd.setNode(key, "here");

const { node, etcdIndex } = await etcd.getNode(key);
console.log(`${node.key} = ${node.value}, last changed at index ${node.modifiedIndex}`);
console.log(`the key space is at index ${etcdIndex}`);

// A member answers from its own state, which may be behind. This asks the leader:
const latest = await etcd.getNode(key, { quorum: true });
console.log(`the cluster agrees: ${latest.node.value}`);

await etcd.deleteNode(key);
try {
  await etcd.getNode(key);
} catch (error) {
  if (!(error instanceof KeyNotFoundError)) throw error;
  console.log(`${error.key} does not exist`);
}

await etcd.close();
