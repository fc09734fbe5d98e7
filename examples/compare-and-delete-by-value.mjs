// @ts-check
// Compare and delete by value: deletes a key only if it has the expected value.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-compare-and-delete-by-value";

/** @param {string} name */
async function release(name) {
  try {
    await etcd.compareAndDeleteNode(key, { prevValue: name });
    console.log(`${name} released the key`);
  } catch (error) {
    if (isEtcdError(error, "TestFailed")) console.log(`not ${name}'s key: ${error.detail}`);
    else if (isEtcdError(error, "KeyNotFound")) console.log(`${error.key} does not exist`);
    else throw error;
  }
}

await etcd.setNode(key, "alice");
await release("bob");
await release("alice");
await release("alice");

await etcd.close();
