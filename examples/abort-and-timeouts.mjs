// @ts-check
// Abort and timeouts: how a call is given up, by you or by the client, and what became of it.
import { once } from "node:events";
import { createServer } from "node:net";
import { AbortError, EtcdClient, OutcomeUnknownError, TimeoutError } from "etcdnet";

const urls = (process.env.ETCD_URLS ?? "http://127.0.0.1:2379").split(",");
const etcd = new EtcdClient({ urls });
const key = "/example-abort-and-timeouts";

/** @param {string} what @param {Promise<unknown>} call */
async function tell(what, call) {
  try {
    await call;
    console.log(`${what}: done`);
  } catch (error) {
    if (error instanceof AbortError) console.log(`${what}: aborted, outcome ${error.outcome}`);
    else if (error instanceof TimeoutError) console.log(`${what}: none in ${error.timeout} ms`);
    else if (error instanceof OutcomeUnknownError) console.log(`${what}: ${error.cause.name}`);
    else throw error;
  }
}

// A watch may wait for ever: give it up with a controller, or after a time.
const controller = new AbortController();
const watch = etcd.watchNode(key, { signal: controller.signal });
controller.abort();
await tell("a watch", watch);
await tell("a watch of 50 ms", etcd.watchNode(key, { signal: AbortSignal.timeout(50) }));

// A signal that has aborted before: the write is certainly not sent.
await tell("a late write", etcd.setNode(key, "never", { signal: AbortSignal.abort() }));

// A server that takes connections and never answers.
const silent = createServer((socket) => {
  socket.on("data", () => silent.emit("asked")).on("error", () => {});
});
await once(silent.listen(0, "127.0.0.1"), "listening");
const address = silent.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
const unanswered = { urls: [`http://127.0.0.1:${port}`] };
const hasty = new EtcdClient({
  ...unanswered,
  requestTimeout: 200, // one attempt at a local read
  writeTimeout: 1_000, // one attempt at a write or a quorum read
  timeout: 5_000, // the whole call
});
await tell("an answer to a read", hasty.getNode(key));
await tell("an answer to a quorum read", hasty.getNode(key, { quorum: true }));

// A write that was sent and not answered may take effect. So it is not reported as failed:
await tell("an unanswered write", hasty.setNode(key, "perhaps"));

// The same holds for a write that is aborted after it was sent.
const patient = new EtcdClient(unanswered);
const writing = new AbortController();
silent.once("asked", () => writing.abort());
const write = patient.setNode(key, "perhaps", { signal: writing.signal });
await tell("a write aborted under way", write);

await hasty.close();
await patient.close();
silent.close();
await etcd.close();
