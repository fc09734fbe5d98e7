// @ts-check
/** Drives the npm package node-etcd: `node-etcd.mjs DIRECTORY_OF_PACKAGES URL`. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { serve } from "./lines.mjs";

const [directory = "", url = ""] = process.argv.slice(2);
const Etcd = createRequire(join(directory, "index.js"))("node-etcd");
const etcd = new Etcd([url]);

await serve({
  get: (key) => outcome((done) => etcd.get(key, done)),
  add: (key, value) => outcome((done) => etcd.create(key, value, done)),
  swap: (key, from, to) => outcome((done) => etcd.compareAndSwap(key, to, from, done)),
  async watch(key, tell) {
    const watcher = etcd.watcher(key, null, { recursive: true });
    watcher.on("change", (/** @type {any} */ change) => tell.event(change.node.value));
    watcher.on("resync", (/** @type {Error} */ error) => tell.notice("resync", error.message));
    watcher.on("error", (/** @type {Error} */ error) => tell.notice("error", error.message));
    watcher.on("reconnect", (/** @type {Error} */ error) => {
      tell.notice("connection", `reconnect: ${error.message}`);
    });
  },
});

/** @param {(done: (error: Error | null) => void) => unknown} call @returns {Promise<void>} */
function outcome(call) {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}
