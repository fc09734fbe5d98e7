// @ts-check
// Compare and swap by index: read, compute, write, and start again if the key was written in between.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-compare-and-swap-by-index";

/** Adds one to the number in the key. Returns the number of attempts. */
async function increment() {
  for (let attempt = 1; ; attempt++) {
    const { node } = await etcd.getNode(key, { quorum: true });
    const next = String(Number(node.value) + 1);
    try {
      await etcd.compareAndSwapNode(key, { prevIndex: node.modifiedIndex }, next);
      return attempt;
    } catch (error) {
      if (!isEtcdError(error, "TestFailed")) throw error;
    }
  }
}

await etcd.setNode(key, "0");
const attempts = await Promise.all([increment(), increment(), increment()]);
console.log(
  `three concurrent increments: ${await etcd.getNodeValue(key)}, after ${attempts.join(" + ")} attempts`,
);

await etcd.deleteNode(key);
await etcd.close();
