// @ts-check
// Uses the client, a recipe and the embedded server once each, and prints one line for each part:
// `node smoke.mjs V2_URL V3_URL`.
import { EtcdClient, Lock } from "etcdnet";
import { startEmbeddedEtcd } from "etcdnet/server";

const [v2 = "", v3 = ""] = process.argv.slice(2);
const PART_TIMEOUT_MS = 20_000;

/** @param {string} name @param {() => Promise<unknown>} part */
async function report(name, part) {
  const timer = setTimeout(() => {
    console.log(`${name}: still running after ${PART_TIMEOUT_MS} ms`);
    process.exit(1);
  }, PART_TIMEOUT_MS);
  console.log(`${name}: ${await part()}`);
  clearTimeout(timer);
}

/** @param {EtcdClient} etcd */
async function readAndWrite(etcd) {
  await etcd.setNode("/smoke/a", "ä");
  return await etcd.getNodeValue("/smoke/a");
}

/** @param {EtcdClient} etcd */
async function watch(etcd) {
  const { etcdIndex } = await etcd.getNode("/smoke");
  await etcd.setNode("/smoke/b", "1");
  for await (const item of etcd.watch("/smoke", { recursive: true, from: etcdIndex + 1 })) {
    if (item.type === "change") return item.response.node.key;
  }
}

/** @param {EtcdClient} etcd */
async function lock(etcd) {
  const handle = await new Lock(etcd, "/smoke/lock").acquire();
  await handle.release();
  return "released";
}

/** @param {string} name @param {EtcdClient} etcd */
async function tour(name, etcd) {
  await report(`${name} read and write`, () => readAndWrite(etcd));
  await report(`${name} watch`, () => watch(etcd));
  await report(`${name} lock`, () => lock(etcd));
  await etcd.close();
}

await tour("v2", new EtcdClient({ urls: [v2] }));
await tour("v3", new EtcdClient({ urls: [v3], api: "v3" }));
const server = await startEmbeddedEtcd();
await tour("embedded", new EtcdClient({ urls: [server.url] }));
await server.close();
console.log("everything is closed");
