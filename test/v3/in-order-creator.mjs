// @ts-check
/**
 * A process whose clients wait for a signal, create in-order keys in one directory, and report each. Arguments:
 * the built package, the etcd URLs, the directory, how many clients, how many keys each.
 */
import { once } from "node:events";

const [index = "", urls = "", key = "", clients = "", count = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { ClusterUnavailableError, EtcdClient } = await import(index);
const etcds = Array.from({ length: Number(clients) }, () => {
  return new EtcdClient({
    urls: urls.split(","),
    api: "v3",
    writeTimeout: 60_000,
    timeout: 120_000,
  });
});
await Promise.all(etcds.map((etcd) => etcd.getNode("/")));
const sign = once(process, "message");
process.send?.({ event: "ready" });
await sign;
await Promise.all(etcds.map(create));
process.disconnect();

/** @param {import("../../src/index.js").EtcdClient} etcd */
async function create(etcd) {
  for (let created = 0; created < Number(count); created++) {
    const { node } = await createInOrder(etcd);
    process.send?.({ event: "created", key: node.key, revision: node.createdIndex });
  }
  await etcd.close();
}

/**
 * On a busy machine, a creation can meet 50 conflicts. It was certainly not carried out then.
 * @param {import("../../src/index.js").EtcdClient} etcd
 */
async function createInOrder(etcd) {
  for (;;) {
    try {
      return await etcd.createInOrderNode(key, `${process.pid}`);
    } catch (error) {
      if (!(error instanceof ClusterUnavailableError)) throw error;
    }
  }
}
