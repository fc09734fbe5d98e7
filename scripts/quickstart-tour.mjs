// @ts-check
import { EtcdClient, isEtcdError } from "etcdnet";

/** @param {string} step */
const say = (step) => console.log(`\n${step}`);
/** @param {string} what @param {unknown} [result] */
const show = (what, result = "") => console.log(`  ${what.padEnd(44)}`, result);

/**
 * Shows the main jobs of the client, in a directory of its own that is gone at the end.
 *
 * @param {string[]} urls
 */
export async function tour(urls) {
  const etcd = new EtcdClient({ endpoints: urls });
  const { etcdserver } = await etcd.version();
  const name = `/etcdnet-tour-${process.pid}`;
  const app = etcd.namespace(name);
  console.log(`Connected to etcd ${etcdserver} at ${urls.join(", ")}; everything below ${name}.`);
  try {
    await values(app);
    await directories(app);
    await conditions(app);
    await lifetimes(app);
    await watching(app);
  } finally {
    await etcd.deleteNode(name, { recursive: true, ignoreKeyNotFound: true });
    await etcd.close();
  }
}

/** @param {EtcdClient} app */
async function values(app) {
  say("Values");
  const { node } = await app.setNode("/config/greeting", "hello");
  show("setNode: written at index", node.modifiedIndex);
  show("getNodeValue:", await app.getNodeValue("/config/greeting"));
  const missing = await app.getNodeValue("/config/nothing", { ignoreKeyNotFound: true });
  show("getNodeValue, ignoring a missing key:", missing);
  try {
    await app.getNode("/config/nothing");
  } catch (error) {
    if (!isEtcdError(error, "KeyNotFound")) throw error;
    show("getNode of a missing key throws", `${error.name} (${error.errorCode})`);
  }
}

/** @param {EtcdClient} app */
async function directories(app) {
  say("Directories and in-order keys");
  for (const job of ["first", "second", "third"]) await app.createInOrderNode("/jobs", job);
  const { node } = await app.getNode("/jobs", { sorted: true });
  for (const { key, value } of node.nodes ?? []) show(key, value);
}

/** @param {EtcdClient} app */
async function conditions(app) {
  say("Compare and swap");
  const swapped = await app.compareAndSwapNode("/config/greeting", { prevValue: "hello" }, "hi");
  show("was hello, is now", swapped.node.value);
  try {
    await app.compareAndSwapNode("/config/greeting", { prevValue: "hello" }, "hey");
  } catch (error) {
    if (!isEtcdError(error, "TestFailed")) throw error;
    show(`a second time it throws ${error.name}:`, error.detail);
  }
}

/** @param {EtcdClient} app */
async function lifetimes(app) {
  say("TTL");
  const { node } = await app.setNode("/instances/a", "10.0.0.1:80", { ttl: 1 });
  const waitIndex = node.modifiedIndex + 1;
  const expiry = await app.watchNode("/instances/a", { waitIndex });
  show("a second later its watcher sees", `${expiry.action} of ${expiry.node.key}`);
}

/** @param {EtcdClient} app */
async function watching(app) {
  say("Watch");
  const { etcdIndex } = await app.getNode("/config");
  const change = app.watchNode("/config", { recursive: true, waitIndex: etcdIndex + 1 });
  await app.setNode("/config/colour", "blue");
  const { action, node } = await change;
  show("watchNode returns", `${action} ${node.key} = ${node.value}`);
}
