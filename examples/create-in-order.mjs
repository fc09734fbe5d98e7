// @ts-check
// Create in order: etcd names the keys of a directory so that they rise as they were made.
import { EtcdClient } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const queue = "/example-create-in-order";

for (const job of ["wash", "dry", "fold"]) {
  const { node } = await etcd.createInOrderNode(queue, job, { ttl: 60 });
  console.log(`${job} is ${node.key}`);
}

const { node } = await etcd.getNode(queue, { sorted: true });
console.log("in order:", (node.nodes ?? []).map(({ value }) => value).join(", "));

await etcd.deleteNode(queue, { recursive: true });
await etcd.close();
