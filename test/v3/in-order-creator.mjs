// @ts-check
/**
 * A process that waits for a signal, creates in-order keys in one directory, and prints each. Arguments:
 * the built package, the etcd URLs, the directory, how many keys.
 */
import { once } from "node:events";

const [index = "", urls = "", key = "", count = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { ClusterUnavailableError, EtcdClient } = await import(index);
const etcd = new EtcdClient({
  urls: urls.split(","),
  api: "v3",
  writeTimeout: 60_000,
  timeout: 120_000,
});
await etcd.getNode("/");
const sign = once(process, "message");
process.send?.({ event: "ready" });
await sign;
for (let created = 0; created < Number(count); created++) {
  const { node } = await createInOrder();
  process.send?.({ event: "created", key: node.key, revision: node.createdIndex });
}
await etcd.close();
process.disconnect();

/** On a busy machine, a creation can meet 50 conflicts. It was certainly not carried out then. */
async function createInOrder() {
  for (;;) {
    try {
      return await etcd.createInOrderNode(key, `${process.pid}`);
    } catch (error) {
      if (!(error instanceof ClusterUnavailableError)) throw error;
    }
  }
}
