// @ts-check
// Mirror: a live copy of a directory, read at the speed of memory, without a request.
import { EtcdClient, Mirror } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const directory = "/example-mirror";

await etcd.setNode(`${directory}/services/mail/port`, "25");
await etcd.setNode(`${directory}/services/web/port`, "80");

const mirror = new Mirror(etcd, directory);
// Failures that pass are tried again for ever; this is where they show.
mirror.on("error", (error) => console.error("the mirror:", error.message));
mirror.on("change", ({ action, key, node, prevNode }) => {
  console.log(`${action} ${key}: ${prevNode?.value} -> ${node?.value}`);
});
await mirror.ready;

console.log("web is at", mirror.value(`${directory}/services/web/port`, Number));
const names = mirror.list(`${directory}/services`).map(({ key }) => key.split("/").at(-1));
console.log("services:", names.join(", "));
console.log("is there a database?", mirror.has(`${directory}/services/database`));

// The copy follows etcd a little later. To read one's own write, wait for its index.
const { node } = await etcd.setNode(`${directory}/services/web/port`, "8080");
await mirror.waitFor(node.modifiedIndex);
console.log("web moved to", mirror.value(`${directory}/services/web/port`, Number));

// One event of etcd, but a change for each node that is gone.
const deleted = await etcd.deleteNode(directory, { recursive: true });
await mirror.waitFor(deleted.node.modifiedIndex);
console.log("left:", [...mirror].length, "nodes");

console.log("fresh:", mirror.staleFor < 60_000);
await mirror.close();
await etcd.close();
