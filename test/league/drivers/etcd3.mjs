// @ts-check
/** Drives the npm package etcd3: `etcd3.mjs DIRECTORY_OF_PACKAGES URL`. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { serve } from "./lines.mjs";

const [directory = "", url = ""] = process.argv.slice(2);
const { Etcd3 } = createRequire(join(directory, "index.js"))("etcd3");
const etcd = new Etcd3({ hosts: url });

await serve({
  get: (key) => etcd.get(key).string(),
  add: (key, value) => etcd.put(`${key}/${value}`).value(value).exec(),
  async swap(key, from, to) {
    const put = etcd.put(key).value(to);
    const { succeeded } = await etcd.if(key, "Value", "==", from).then(put).commit();
    if (!succeeded) throw new Error("succeeded is false");
  },
  async watch(key, tell) {
    const watcher = await etcd.watch().prefix(`${key}/`).create();
    watcher.on("put", (/** @type {{ value: Buffer }} */ { value }) => tell.event(`${value}`));
    watcher.on("error", (/** @type {Error} */ error) => tell.notice("error", error.message));
    watcher.on("disconnected", (/** @type {Error} */ error) => {
      tell.notice("connection", `disconnected: ${error.message}`);
    });
    watcher.on("connected", () => tell.notice("connection", "connected"));
    watcher.on("end", () => tell.notice("error", "end"));
  },
});
