// @ts-check
import { EtcdClient } from "../../dist/index.js";

/** Arrivals at a fixed rate can outrun the server: that is a latency, and no failure. In ms. */
const PATIENT = { requestTimeout: 60_000, writeTimeout: 60_000, timeout: 60_000 };

/**
 * This client on the v3 API of the same server.
 *
 * @type {import("../worker.mjs").Connect}
 */
export function connect(url) {
  const client = new EtcdClient({ urls: [url], api: "v3", ...PATIENT });
  return {
    get: (key) => client.getNodeValue(key),
    set: (key, value) => client.setNode(key, value),
    close: () => client.close(),
  };
}
