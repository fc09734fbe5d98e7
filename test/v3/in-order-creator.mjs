// @ts-check
/**
 * A process that waits for a signal, creates in-order keys in one directory, and prints each. Arguments:
 * the built package, the etcd URLs, the directory, how many keys.
 */
import { once } from "node:events";

const [index = "", urls = "", key = "", count = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { EtcdClient } = await import(index);
const etcd = new EtcdClient({ urls: urls.split(","), api: "v3" });
await etcd.getNode("/");
const sign = once(process, "message");
process.send?.({ event: "ready" });
await sign;
for (let created = 0; created < Number(count); created++) {
  const { node } = await etcd.createInOrderNode(key, `${process.pid}`);
  process.send?.({ event: "created", key: node.key, revision: node.createdIndex });
}
await etcd.close();
process.disconnect();
