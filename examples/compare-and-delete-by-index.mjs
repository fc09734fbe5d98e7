// @ts-check
// Compare and delete by index: deletes a key only if it was not written since you read it.
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-compare-and-delete-by-index";

const { node: read } = await etcd.setNode(key, "same");
const { node: latest } = await etcd.setNode(key, "same"); // the same value, but a new index

for (const { modifiedIndex } of [read, latest]) {
  try {
    await etcd.compareAndDeleteNode(key, { prevIndex: modifiedIndex });
    console.log("deleted at the index of the last write");
  } catch (error) {
    if (!isEtcdError(error, "TestFailed")) throw error;
    console.log("not deleted: the key was written in between");
  }
}

await etcd.close();
