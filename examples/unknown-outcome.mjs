// @ts-check
// Unknown outcome: the response to a write was lost. How to find out whether the write was applied.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const directory = "/example-unknown-outcome";

// A faulty proxy: requests reach etcd, but the connection is closed when etcd responds.
const { hostname, port } = new URL(endpoints[0] ?? "");
const proxy = createServer((client) => {
  const server = connect(Number(port || 80), hostname);
  client.pipe(server);
  server.once("data", () => client.destroy());
  for (const socket of [client, server]) {
    socket.on("error", () => {}).on("close", () => [client, server].map((end) => end.destroy()));
  }
});
await once(proxy.listen(0, "127.0.0.1"), "listening");
const address = proxy.address();
const proxyPort = typeof address === "object" && address !== null ? address.port : 0;
const unlucky = new EtcdClient({ endpoints: `http://127.0.0.1:${proxyPort}` });

/** Returns whether the outcome of a write is unknown. @param {Promise<unknown>} write */
async function isLost(write) {
  try {
    await write;
    return false;
  } catch (error) {
    if (!isEtcdError(error, "OutcomeUnknown")) throw error; // certainly not applied
    console.log(`lost: ${error.message}`);
    return true;
  }
}

// A set of a key that no other client writes: repeat it. Setting it twice has the same result.
if (await isLost(unlucky.setNode(`${directory}/setting`, "on"))) {
  await etcd.setNode(`${directory}/setting`, "on");
  console.log("set: repeated");
}

// A create with a unique value: the value shows whether the key is from this client.
const me = randomUUID();
if (await isLost(unlucky.createNode(`${directory}/owner`, me))) {
  try {
    await etcd.createNode(`${directory}/owner`, me);
    console.log("create: the second attempt succeeded");
  } catch (error) {
    if (!isEtcdError(error, "NodeExist")) throw error;
    const owner = await etcd.getNodeValue(`${directory}/owner`, { quorum: true });
    console.log(`create: the key is ${owner === me ? "from this client" : "from another client"}`);
  }
}

// A compare-and-swap by index: repeat it. It is applied at most once.
const { node: counted } = await etcd.setNode(`${directory}/count`, "1");
const condition = { prevIndex: counted.modifiedIndex };
if (await isLost(unlucky.compareAndSwapNode(`${directory}/count`, condition, "2"))) {
  try {
    await etcd.compareAndSwapNode(`${directory}/count`, condition, "2");
    console.log("compare and swap: the second attempt succeeded");
  } catch (error) {
    if (!isEtcdError(error, "TestFailed")) throw error;
    const count = await etcd.getNodeValue(`${directory}/count`, { quorum: true });
    console.log(
      `compare and swap: the first attempt, or another client, set the count to ${count}`,
    );
  }
}

// An in-order key: look for its value. The lost write can still be applied later, so consumers must
// recognize a job by its id and do it once.
const job = `wash ${randomUUID()}`;
if (await isLost(unlucky.createInOrderNode(`${directory}/queue`, job))) {
  const queue = await etcd.getNode(`${directory}/queue`, { quorum: true, ignoreKeyNotFound: true });
  const found = queue?.node.nodes?.some(({ value }) => value === job) ?? false;
  if (!found) await etcd.createInOrderNode(`${directory}/queue`, job);
  console.log(`create in order: the job ${found ? "exists" : "was created again"}`);
}

await etcd.deleteNode(directory, { recursive: true });
await unlucky.close();
await etcd.close();
proxy.close();
