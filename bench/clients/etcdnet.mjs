// @ts-check

/** @type {typeof import("../../dist/index.js")} */
const { EtcdClient } = await import(process.env.ETCDNET_DIST ?? "../../dist/index.js");

/**
 * This client, or the build of it that `ETCDNET_DIST` names.
 *
 * @type {import("../worker.mjs").Connect}
 */
export function connect(url) {
  const client = new EtcdClient({ urls: [url] });
  return {
    get: (key) => client.getNodeValue(key),
    set: (key, value) => client.setNode(key, value),
    watch: (key) => client.watchNode(key),
    close: () => client.close(),
  };
}
