// @ts-check
/**
 * The process of the clients in the fuzz test: it makes the calls that it is told to make, and tells
 * how each ended. What else goes wrong ends it. Argument: the built package.
 */
import { setTimeout as delay } from "node:timers/promises";

const [index = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const { EtcdClient, EtcdError, AbortError } = await import(index);

/** @typedef {import("../../src/index.js").EtcdClient} Client */

/** The client of each lane. @type {Map<number, Client>} */
const clients = new Map();

/** A lane of exchanges, one after the other. @type {(lane: number, plan: any) => Promise<void>} */
async function run(lane, plan) {
  const { options, call, abortAfter, closeAfter } = plan;
  const client = options === undefined ? clients.get(lane) : await replace(lane, options);
  if (client === undefined) throw new Error("there is no client yet");
  const caller = new AbortController();
  let closed = client.closed.aborted;
  const timers = [
    abortAfter !== undefined && setTimeout(() => caller.abort(), abortAfter),
    closeAfter !== undefined &&
      setTimeout(() => {
        closed = true;
        void client.close();
      }, closeAfter),
  ];
  let outcome = "answered";
  try {
    await perform(client, call, caller.signal);
  } catch (error) {
    outcome = nameOf(error, closed);
  }
  for (const timer of timers) if (timer) clearTimeout(timer);
  process.send?.({ lane, outcome });
}

/** A new client for a lane. @type {(lane: number, options: any) => Promise<Client>} */
async function replace(lane, options) {
  await clients.get(lane)?.close();
  const client = new EtcdClient(options);
  clients.set(lane, client);
  return client;
}

/** @type {(client: Client, call: string, signal: AbortSignal) => Promise<unknown>} */
async function perform(client, call, signal) {
  switch (call) {
    case "get":
      return client.getNode("/a", { signal });
    case "list":
      return client.getNode("/a", { recursive: true, quorum: true, signal });
    case "set":
      return client.setNode("/a", "1".repeat(2_000), { ttl: 60, signal });
    case "create in order":
      return client.createInOrderNode("/a", "1", { signal });
    case "compare and swap":
      return client.compareAndSwapNode("/a", { prevValue: "1".repeat(5_000) }, "2", { signal });
    case "delete":
      return client.deleteNode("/a", { recursive: true, signal });
    case "watch once":
      return within(signal, (limit) => client.watchNode("/a", { signal: limit }));
    case "watch":
      return within(signal, async (limit) => {
        const watcher = client.watch("/a", { recursive: true, signal: limit });
        for (let items = 0; items < 5; items++) {
          const { done } = await watcher.next();
          if (done) return;
          await delay(items);
        }
        watcher.close();
      });
    case "open watch":
      return within(signal, async (limit) => {
        const watch = await client.keySpace.openWatch(
          { key: "/a", stream: true },
          { signal: limit },
        );
        // Nobody reads for a while.
        await delay(50);
        try {
          for await (const event of watch) if (event.etcdIndex < 0) break;
        } finally {
          watch.close();
        }
      });
    case "members":
      return client.members.list({ signal });
    case "version":
      return client.version({ signal });
    case "health":
      return client.health({ signal });
    default:
      return client.stats.self({ signal });
  }
}

/**
 * Aborts a watch after a while. Not by AbortSignal.any: Node 20 may forget its signals.
 *
 * @template T @param {AbortSignal} signal @param {(limit: AbortSignal) => Promise<T>} start
 */
async function within(signal, start) {
  const limit = new AbortController();
  const abort = () => limit.abort();
  signal.addEventListener("abort", abort);
  const timer = setTimeout(abort, 200);
  try {
    return await start(limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** An error that is documented by its name; any other with its stack. @param {unknown} error @param {boolean} closed */
function nameOf(error, closed) {
  const isUsual = error instanceof EtcdError || error instanceof AbortError;
  if (isUsual || (closed && error instanceof TypeError)) return error.name;
  const text = error instanceof Error ? error.stack : String(error);
  return `undocumented: ${text}`;
}

process.on("warning", (warning) => {
  throw warning;
});

process.on("message", async (/** @type {any} */ message) => {
  if (message.end !== true) return run(message.lane, message.plan);
  for (const client of clients.values()) await client.close();
  // Whatever is left behind would hold the process.
  process.disconnect();
});
process.send?.({ ready: true });
