// @ts-check
// Compare and delete by value: a key goes only if it still has the value you know.
import { EtcdClient, KeyNotFoundError, TestFailedError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-compare-and-delete-by-value";

/** @param {string} name */
async function release(name) {
  try {
    await etcd.compareAndDeleteNode(key, { prevValue: name });
    console.log(`${name} released the key`);
  } catch (error) {
    if (error instanceof TestFailedError) console.log(`not ${name}'s: ${error.detail}`);
    else if (error instanceof KeyNotFoundError) console.log(`${error.key} does not exist`);
    else throw error;
  }
}

await etcd.setNode(key, "alice");
await release("bob");
await release("alice");
await release("alice");

await etcd.close();
