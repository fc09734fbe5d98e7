// @ts-check
// Create in order: etcd chooses the names of keys, so that they sort in the order of creation.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const queue = "/example-create-in-order";

for (const job of ["wash", "dry", "fold"]) {
  const { node } = await etcd.createInOrderNode(queue, job, { ttl: 60 });
  console.log(`${job} is ${node.key}`);
}

const { node } = await etcd.getNode(queue, { sorted: true });
console.log("in order:", (node.nodes ?? []).map(({ value }) => value).join(", "));

await etcd.deleteNode(queue, { recursive: true });
await etcd.close();
