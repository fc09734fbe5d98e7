// @ts-check
// Basic use: one client, a value written, read and deleted.
import { EtcdClient } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });

await etcd.setNode("/example-basic-use/greeting", "hello");
console.log("the greeting is", await etcd.getNodeValue("/example-basic-use/greeting"));

await etcd.deleteNode("/example-basic-use", { recursive: true });

// One client serves the whole process; it is closed at the end, with all its connections.
await etcd.close();
