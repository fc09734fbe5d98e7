// @ts-check
import { createRequire } from "node:module";

// CommonJS, and installed on demand: see ../contenders.mjs.
const { Etcd3 } = createRequire(import.meta.url)("etcd3");

/**
 * etcd3, on the v3 API of the same server.
 *
 * @type {import("../worker.mjs").Connect}
 */
export function connect(url) {
  const client = new Etcd3({ hosts: url });
  return {
    get: (key) => client.get(key).string(),
    set: (key, value) => client.put(key).value(value),
    close: async () => client.close(),
  };
}
