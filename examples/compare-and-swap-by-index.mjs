// @ts-check
// Compare and swap by index: read, compute, write, and start over if somebody wrote in between.
import { EtcdClient, TestFailedError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-compare-and-swap-by-index";

/** Adds one to the number in the key, and says how many times it had to try. */
async function increment() {
  for (let tries = 1; ; tries++) {
    const { node } = await etcd.getNode(key, { quorum: true });
    const next = String(Number(node.value) + 1);
    try {
      await etcd.compareAndSwapNode(key, { prevIndex: node.modifiedIndex }, next);
      return tries;
    } catch (error) {
      if (!(error instanceof TestFailedError)) throw error;
    }
  }
}

await etcd.setNode(key, "0");
const tries = await Promise.all([increment(), increment(), increment()]);
console.log(`three at once make ${await etcd.getNodeValue(key)}, in ${tries.join(" + ")} tries`);

await etcd.deleteNode(key);
await etcd.close();
