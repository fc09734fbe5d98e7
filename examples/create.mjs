// @ts-check
// Create a key that must not exist: only one of several clients succeeds.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-create/owner";

for (const name of ["alice", "bob"]) {
  try {
    const { node } = await etcd.createNode(key, name, { ttl: 60 });
    console.log(`${name} created ${node.key}, for ${node.ttl} s`);
  } catch (error) {
    if (!isEtcdError(error, "NodeExist")) throw error;
    console.log(`${name} came too late: ${error.key} exists`);
  }
}

// A directory has `null` in place of a value.
const { node } = await etcd.createNode("/example-create/folder", null, { dir: true });
console.log(`${node.key} is a directory: ${node.dir}`);

await etcd.deleteNode("/example-create", { recursive: true });
await etcd.close();
