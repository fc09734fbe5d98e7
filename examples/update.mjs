// @ts-check
// Update: `setNode` writes a key whether or not it exists. `updateNode` writes only an existing key.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-update";

try {
  await etcd.updateNode(key, "zero");
} catch (error) {
  if (!isEtcdError(error, "KeyNotFound")) throw error;
  console.log("update: the key does not exist");
}

const first = await etcd.setNode(key, "one");
const second = await etcd.setNode(key, "two");
console.log(`set: ${second.prevNode?.value} became ${second.node.value}`);
console.log("a set creates a new node:", second.node.createdIndex !== first.node.createdIndex);

const third = await etcd.updateNode(key, "three", { ttl: 60 });
console.log(`update: ${third.prevNode?.value} became ${third.node.value}, for ${third.node.ttl} s`);
console.log("an update keeps the node:", third.node.createdIndex === second.node.createdIndex);

// A write without `ttl` removes the TTL. To renew a TTL, use `refreshNode` or keep-alive.mjs.
const { node } = await etcd.updateNode(key, "four");
console.log("expires:", node.expiration ?? "never");

await etcd.deleteNode(key);
await etcd.close();
