// @ts-check
// Delete a key that may not exist: `null` instead of an exception.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-delete-ignoring-not-found";

await etcd.setNode(key, "here");

for (const time of ["first", "second"]) {
  const response = await etcd.deleteNode(key, { ignoreKeyNotFound: true });
  console.log(`${time} time: ${response === null ? "nothing to delete" : "deleted"}`);
}

await etcd.close();
