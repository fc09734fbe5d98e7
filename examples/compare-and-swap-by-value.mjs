// @ts-check
// Compare and swap by value: a change that happens only if the key still has the value you know.
import { EtcdClient, KeyNotFoundError, TestFailedError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-compare-and-swap-by-value";

/** @param {string} from @param {string} to */
async function advance(from, to) {
  try {
    const { node } = await etcd.compareAndSwapNode(key, { prevValue: from }, to);
    console.log(`${from} became ${node.value}`);
  } catch (error) {
    if (error instanceof TestFailedError) console.log(`not ${from}: ${error.detail}`);
    else if (error instanceof KeyNotFoundError) console.log(`${error.key} does not exist`);
    else throw error;
  }
}

await advance("red", "green");
await etcd.setNode(key, "red");
await advance("red", "green");
await advance("red", "green");

await etcd.deleteNode(key);
await etcd.close();
