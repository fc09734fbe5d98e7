// @ts-check
// Get a value: the text of a file. With `ignoreKeyNotFound`, `null` for a missing key or a directory.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-get-value/port";

console.log("missing:", await etcd.getNodeValue(key, { ignoreKeyNotFound: true }));

await etcd.setNode(key, "8080");
console.log("file:", await etcd.getNodeValue(key));
console.log(
  "directory:",
  await etcd.getNodeValue("/example-get-value", { ignoreKeyNotFound: true }),
);

await etcd.deleteNode("/example-get-value", { recursive: true });
await etcd.close();
