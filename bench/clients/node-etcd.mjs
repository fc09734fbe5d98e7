// @ts-check
import { createRequire } from "node:module";

// CommonJS without types, and installed on demand: see ../contenders.mjs.
const Etcd = createRequire(import.meta.url)("node-etcd");

/**
 * node-etcd, with room for as many sockets as there are calls.
 *
 * @type {import("../worker.mjs").Connect}
 */
export function connect(url, inFlight) {
  const client = new Etcd(url, { pool: { maxSockets: inFlight } });
  return {
    get: (key) =>
      new Promise((resolve, reject) => {
        client.get(key, settle(resolve, reject));
      }).then((answer) => answer.node.value),
    set: (key, value) =>
      new Promise((resolve, reject) => {
        client.set(key, value, settle(resolve, reject));
      }),
    close: async () => {},
  };
}

/**
 * @param {(answer: any) => void} resolve
 * @param {(error: Error) => void} reject
 */
function settle(resolve, reject) {
  return (/** @type {Error | null} */ error, /** @type {unknown} */ answer) => {
    if (error === null) resolve(answer);
    else reject(error);
  };
}
