// @ts-check
// Namespace: a client for one subtree, which sees its top as "/".
import { EtcdClient, isEtcdError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const mail = etcd.namespace("/example-namespace/mail"); // shares the connections of `etcd`

await mail.setNode("/port", "25");
console.log("inside:", (await mail.getNode("/port")).node.key);
console.log("outside:", (await etcd.getNode("/example-namespace/mail/port")).node.key);

// Listings, watches and errors speak of inside keys too.
const { node } = await mail.getNode("/");
console.log("its root lists:", (node.nodes ?? []).map(({ key }) => key).join());
await mail.getNode("/host").catch((error) => {
  if (!isEtcdError(error, "KeyNotFound")) throw error;
  console.log("missing inside:", error.key);
});

await etcd.deleteNode("/example-namespace", { recursive: true });
await etcd.close(); // and the namespace with it
