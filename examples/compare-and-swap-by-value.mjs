// @ts-check
// Compare and swap by value: writes a key only if it has the expected value.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-compare-and-swap-by-value";

/** @param {string} from @param {string} to */
async function advance(from, to) {
  try {
    const { node } = await etcd.compareAndSwapNode(key, { prevValue: from }, to);
    console.log(`${from} became ${node.value}`);
  } catch (error) {
    if (isEtcdError(error, "TestFailed")) console.log(`not ${from}: ${error.detail}`);
    else if (isEtcdError(error, "KeyNotFound")) console.log(`${error.key} does not exist`);
    else throw error;
  }
}

await advance("red", "green");
await etcd.setNode(key, "red");
await advance("red", "green");
await advance("red", "green");

await etcd.deleteNode(key);
await etcd.close();
