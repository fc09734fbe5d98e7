// @ts-check
/**
 * A process that fills a directory, sets its TTL, prints its expiry time, and does not end by
 * itself. Arguments: the built package, the etcd URLs and which API, the directory, the TTL.
 */
const [index = "", urls = "", api = "", key = "", ttl = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { EtcdClient } = await import(index);
const etcd = new EtcdClient({ urls: urls.split(","), api: api === "v3" ? "v3" : "v2" });
await etcd.createNode(key, null, { dir: true, ttl: 1_000 });
await etcd.createNode(`${key}/file`, "1");
await etcd.createNode(`${key}/sub/deep`, "1");
await etcd.createNode(`${key}/long`, "1", { ttl: 2_000 });
await etcd.createInOrderNode(`${key}/queue`, "1");
const { node } = await etcd.refreshNode(key, Number(ttl));
await etcd.createNode(`${key}/after`, "1");
process.send?.({ event: "filled", expiration: node.expiration });
setInterval(() => {}, 1_000_000);
