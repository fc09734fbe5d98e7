// @ts-check
// Abort and timeouts: a call ends early through a signal or a timeout, and its error says whether it was sent.
import { once } from "node:events";
import { createServer } from "node:net";
import { EtcdClient, isEtcdError } from "etcdnet";

const endpoints = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ endpoints });
const key = "/example-abort-and-timeouts";

/** @param {string} what @param {Promise<unknown>} call */
async function report(what, call) {
  try {
    await call;
    console.log(`${what}: done`);
  } catch (error) {
    if (isEtcdError(error, "Abort")) console.log(`${what}: aborted, outcome ${error.outcome}`);
    else if (isEtcdError(error, "Timeout"))
      console.log(`${what}: timeout after ${error.timeout} ms`);
    else if (isEtcdError(error, "OutcomeUnknown")) {
      console.log(`${what}: outcome unknown after ${error.cause.name}`);
    } else throw error;
  }
}

// A watch waits without limit. An AbortSignal ends it, at any moment or after a time.
const controller = new AbortController();
const watch = etcd.watchNode(key, { signal: controller.signal });
controller.abort();
await report("a watch", watch);
await report("a watch of 50 ms", etcd.watchNode(key, { signal: AbortSignal.timeout(50) }));

// With a signal that is already aborted, the write is not sent.
await report("a late write", etcd.setNode(key, "never", { signal: AbortSignal.abort() }));

// A server that accepts connections and never responds.
const silent = createServer((socket) => {
  socket.on("data", () => silent.emit("request")).on("error", () => {});
});
await once(silent.listen(0, "127.0.0.1"), "listening");
const address = silent.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
const silentUrl = `http://127.0.0.1:${port}`;
const hasty = new EtcdClient({
  endpoints: silentUrl,
  requestTimeout: 200, // milliseconds for one attempt at a local read
  writeTimeout: 1_000, // one attempt at a write or a quorum read
  timeout: 5_000, // the whole call
});
await report("a read", hasty.getNode(key));
await report("a quorum read", hasty.getNode(key, { quorum: true }));

// A write that was sent without a response may still be applied, so it is not reported as failed.
await report("a write", hasty.setNode(key, "perhaps"));

// The same applies to a write that is aborted after it was sent.
const patient = new EtcdClient({ endpoints: silentUrl });
const writing = new AbortController();
silent.once("request", () => writing.abort());
const write = patient.setNode(key, "perhaps", { signal: writing.signal });
await report("a write that was sent, then aborted", write);

await hasty.close();
await patient.close();
silent.close();
await etcd.close();
