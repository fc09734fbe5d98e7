// @ts-check
// Unknown outcome: a write whose answer was lost, and how to find out whether it took effect.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { EtcdClient, isEtcdError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const directory = "/example-unknown-outcome";

// A bad road: requests reach etcd, but the connection is cut as soon as etcd answers.
const { hostname, port } = new URL(urls[0] ?? "");
const road = createServer((client) => {
  const server = connect(Number(port || 80), hostname);
  client.pipe(server);
  server.once("data", () => client.destroy());
  for (const socket of [client, server]) {
    socket.on("error", () => {}).on("close", () => [client, server].map((end) => end.destroy()));
  }
});
await once(road.listen(0, "127.0.0.1"), "listening");
const address = road.address();
const roadPort = typeof address === "object" && address !== null ? address.port : 0;
const unlucky = new EtcdClient({ urls: [`http://127.0.0.1:${roadPort}`] });

/** Makes a write, and tells whether its outcome is unknown. @param {Promise<unknown>} write */
async function isLost(write) {
  try {
    await write;
    return false;
  } catch (error) {
    if (!isEtcdError(error, "OutcomeUnknown")) throw error; // certainly not carried out
    console.log(`lost: ${error.message}`);
    return true;
  }
}

// A set to a key that nobody else writes: set it again. Twice is as good as once.
if (await isLost(unlucky.setNode(`${directory}/setting`, "on"))) {
  await etcd.setNode(`${directory}/setting`, "on");
  console.log("set: sent again");
}

// A create: with a value of its own, it can be recognised. Here the first attempt had succeeded.
const me = randomUUID();
if (await isLost(unlucky.createNode(`${directory}/owner`, me))) {
  try {
    await etcd.createNode(`${directory}/owner`, me);
    console.log("create: the second attempt succeeded");
  } catch (error) {
    if (!isEtcdError(error, "NodeExist")) throw error;
    const owner = await etcd.getNodeValue(`${directory}/owner`, { quorum: true });
    console.log(`create: the key is ${owner === me ? "ours" : "another's"}`);
  }
}

// A compare-and-swap by index: sent again as it was, it takes effect once at most.
const { node: counted } = await etcd.setNode(`${directory}/count`, "1");
const condition = { prevIndex: counted.modifiedIndex };
if (await isLost(unlucky.compareAndSwapNode(`${directory}/count`, condition, "2"))) {
  try {
    await etcd.compareAndSwapNode(`${directory}/count`, condition, "2");
    console.log("compare and swap: the second attempt succeeded");
  } catch (error) {
    if (!isEtcdError(error, "TestFailed")) throw error;
    const count = await etcd.getNodeValue(`${directory}/count`, { quorum: true });
    console.log(`compare and swap: the count is ${count}: ours, or another's after us`);
  }
}

// An in-order key: look for its value. The lost write may still arrive, so readers of the queue
// should know a job by its id and do it once.
const job = `wash ${randomUUID()}`;
if (await isLost(unlucky.createInOrderNode(`${directory}/queue`, job))) {
  const queue = await etcd.getNode(`${directory}/queue`, { quorum: true, ignoreKeyNotFound: true });
  const found = queue?.node.nodes?.some(({ value }) => value === job) ?? false;
  if (!found) await etcd.createInOrderNode(`${directory}/queue`, job);
  console.log(`create in order: the job ${found ? "was there" : "had to be sent again"}`);
}

await etcd.deleteNode(directory, { recursive: true });
await unlucky.close();
await etcd.close();
road.close();
