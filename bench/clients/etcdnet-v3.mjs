// @ts-check
import { EtcdClient } from "../../dist/index.js";

/**
 * This client on the v3 API of the same server.
 *
 * @type {import("../worker.mjs").Connect}
 */
export function connect(url) {
  const client = new EtcdClient({ urls: [url], api: "v3" });
  return {
    get: (key) => client.getNodeValue(key),
    set: (key, value) => client.setNode(key, value),
    close: () => client.close(),
  };
}
