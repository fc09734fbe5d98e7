// @ts-check
// Namespace: a client for one subtree. Its top has the key "/".
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const mail = etcd.namespace("/example-namespace/mail"); // shares the connections of `etcd`

await mail.setNode("/port", "25");
console.log("key in the namespace:", (await mail.getNode("/port")).node.key);
console.log("key outside:", (await etcd.getNode("/example-namespace/mail/port")).node.key);

// Listings, watches and errors also have keys without the prefix.
const { node } = await mail.getNode("/");
console.log("children of its root:", (node.nodes ?? []).map(({ key }) => key).join());
await mail.getNode("/host").catch((error) => {
  if (!isEtcdError(error, "KeyNotFound")) throw error;
  console.log("missing in the namespace:", error.key);
});

await etcd.deleteNode("/example-namespace", { recursive: true });
await etcd.close(); // closes the namespaced client too
