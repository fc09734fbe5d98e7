// @ts-check
// Get a key that may not exist: `null` instead of an exception.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-get-ignoring-not-found";

const before = await etcd.getNode(key, { ignoreKeyNotFound: true });
console.log("before:", before === null ? "missing" : before.node.value);

await etcd.setNode(key, "here");
const after = await etcd.getNode(key, { ignoreKeyNotFound: true });
console.log("after:", after === null ? "missing" : after.node.value);

await etcd.deleteNode(key);
await etcd.close();
