// @ts-check
// Mirror: a live copy of a directory in memory. Reads send no request.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const directory = "/example-mirror";

await etcd.setNode(`${directory}/services/mail/port`, "25");
await etcd.setNode(`${directory}/services/web/port`, "80");

const mirror = etcd.mirror(directory);
// The mirror retries after every failure. Permanent failures are reported here.
mirror.on("error", (error) => console.error("the mirror:", error.message));
mirror.on("change", ({ action, key, node, prevNode }) => {
  console.log(`${action} ${key}: ${prevNode?.value} -> ${node?.value}`);
});
await mirror.ready;

console.log("web is at", mirror.value(`${directory}/services/web/port`, Number));
const names = mirror.list(`${directory}/services`).map(({ key }) => key.split("/").at(-1));
console.log("services:", names.join(", "));
console.log("is there a database?", mirror.has(`${directory}/services/database`));

// The copy follows etcd with a delay. To read your own write, wait for its index.
const { node } = await etcd.setNode(`${directory}/services/web/port`, "8080");
await mirror.waitFor(node.modifiedIndex);
console.log("web moved to", mirror.value(`${directory}/services/web/port`, Number));

// etcd sends one event. The mirror emits a change for each deleted node.
const deleted = await etcd.deleteNode(directory, { recursive: true });
await mirror.waitFor(deleted.node.modifiedIndex);
console.log("nodes after the delete:", [...mirror].length);

console.log("staleFor is below a minute:", mirror.staleFor < 60_000);
await mirror.close();
await etcd.close();
