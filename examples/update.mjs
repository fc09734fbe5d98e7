// @ts-check
// Update: `setNode` writes a key whether or not it exists, `updateNode` only one that exists.
import { EtcdClient, KeyNotFoundError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-update";

try {
  await etcd.updateNode(key, "zero");
} catch (error) {
  if (!(error instanceof KeyNotFoundError)) throw error;
  console.log("nothing to update yet");
}

const first = await etcd.setNode(key, "one");
const second = await etcd.setNode(key, "two");
console.log(`set: ${second.prevNode?.value} became ${second.node.value}`);
console.log("a set makes a new node:", second.node.createdIndex !== first.node.createdIndex);

const third = await etcd.updateNode(key, "three", { ttl: 60 });
console.log(`update: ${third.prevNode?.value} became ${third.node.value}, for ${third.node.ttl} s`);
console.log("an update keeps the node:", third.node.createdIndex === second.node.createdIndex);

// Every write without `ttl` makes the key permanent again. To prolong it, see keep-alive.mjs.
const { node } = await etcd.updateNode(key, "four");
console.log("expires:", node.expiration ?? "never");

await etcd.deleteNode(key);
await etcd.close();
