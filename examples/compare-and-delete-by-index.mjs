// @ts-check
// Compare and delete by index: a key goes only if nobody has written to it since you read it.
import { EtcdClient, TestFailedError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-compare-and-delete-by-index";

const { node: read } = await etcd.setNode(key, "same");
const { node: latest } = await etcd.setNode(key, "same"); // a write all the same

for (const { modifiedIndex } of [read, latest]) {
  try {
    await etcd.compareAndDeleteNode(key, { prevIndex: modifiedIndex });
    console.log("deleted at the index of the last write");
  } catch (error) {
    if (!(error instanceof TestFailedError)) throw error;
    console.log("not deleted: somebody wrote in between");
  }
}

await etcd.close();
