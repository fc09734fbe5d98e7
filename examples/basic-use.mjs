// @ts-check
// Basic use: write, read and delete a value.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });

await etcd.setNode("/example-basic-use/greeting", "hello");
console.log("the greeting is", await etcd.getNodeValue("/example-basic-use/greeting"));

await etcd.deleteNode("/example-basic-use", { recursive: true });

// Use one client in the whole process. close() closes its connections.
await etcd.close();
