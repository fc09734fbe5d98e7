// @ts-check
// Create a key that must not exist: of several that try, one succeeds.
import { EtcdClient, NodeExistError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-create/owner";

for (const name of ["alice", "bob"]) {
  try {
    const { node } = await etcd.createNode(key, name, { ttl: 60 });
    console.log(`${name} created ${node.key}, for ${node.ttl} s`);
  } catch (error) {
    if (!(error instanceof NodeExistError)) throw error;
    console.log(`${name} came too late: ${error.key} exists`);
  }
}

// A directory has no value.
const { node } = await etcd.createNode("/example-create/folder", null, { dir: true });
console.log(`${node.key} is a directory: ${node.dir}`);

await etcd.deleteNode("/example-create", { recursive: true });
await etcd.close();
