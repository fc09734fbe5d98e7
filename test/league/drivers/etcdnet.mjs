// @ts-check
/** Drives this project's client: `etcdnet.mjs v2|v3 URL`. */
import { EtcdClient } from "../../../dist/index.js";
import { serve } from "./lines.mjs";

const [api, url = ""] = process.argv.slice(2);
const etcd = new EtcdClient({ endpoints: url, api: api === "v3" ? "v3" : "v2" });

await serve({
  get: (key) => etcd.getNode(key),
  add: (key, value) => etcd.createInOrderNode(key, value),
  swap: (key, from, to) => etcd.compareAndSwapNode(key, { prevValue: from }, to),
  async watch(key, tell) {
    follow(key, tell).catch((error) => tell.notice("error", error.message));
  },
});

/** @param {string} key @param {import("./lines.mjs").Tell} tell */
async function follow(key, tell) {
  for await (const item of etcd.watch(key, { recursive: true })) {
    if (item.type === "resync") tell.notice("resync", item.reason);
    else if (!item.response.node.dir) tell.event(item.response.node.value ?? "");
  }
}
