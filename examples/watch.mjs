// @ts-check
// Watch: every change below a key, once and in order, through failures and reconnections.
import { EtcdClient } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const directory = "/example-watch";

for await (const item of etcd.watch(directory, { recursive: true, initial: true })) {
  // The complete state: first, and again if etcd has discarded changes that were not delivered yet.
  if (item.type === "resync") {
    const nodes = item.response?.node.nodes ?? [];
    console.log(`state (${item.reason}): ${nodes.length} keys`);
    await etcd.setNode(`${directory}/a`, "1");
    await etcd.setNode(`${directory}/b`, "2", { ttl: 1 });
    await etcd.deleteNode(`${directory}/a`);
    continue;
  }
  const { action, node, prevNode } = item.response;
  console.log(`change: ${action} ${node.key}, was ${prevNode?.value}, is ${node.value}`);
  if (action === "expire") await etcd.deleteNode(directory, { recursive: true });
  // Leaving the loop ends the watch.
  if (node.key === directory) break;
}

// `watchNode` waits for a single change. `waitIndex` is the first index that counts.
const { etcdIndex } = await etcd.setNode("/example-watch-one", "old");
await etcd.setNode("/example-watch-one", "new");
const change = await etcd.watchNode("/example-watch-one", { waitIndex: etcdIndex + 1 });
console.log(`one change: ${change.prevNode?.value} -> ${change.node.value}`);
await etcd.deleteNode("/example-watch-one");

await etcd.close();
