// @ts-check
/**
 * The process of the clients in the fuzz test: it makes the calls that it is told to make, and reports
 * how each ended. Anything else that goes wrong ends it. Arguments: the modules of the built package.
 */
import { inspect } from "node:util";
import { CALLS } from "./client-calls.mjs";

const [index = "", serverIndex = ""] = process.argv.slice(2);
/** @type {typeof import("../../src/index.js")} */
const library = await import(index);
/** @type {typeof import("../../src/server/index.js")} */
const server = await import(serverIndex);
const { AbortError, EtcdClient, EtcdError } = library;

/** @typedef {import("../../src/index.js").EtcdClient} Client */

/** The client of each lane. @type {Map<number, Client>} */
const clients = new Map();
/** The options of each client. @type {WeakMap<Client, any>} */
const optionsOf = new WeakMap();

/** A lane of exchanges, one after the other. @type {(lane: number, plan: any) => Promise<void>} */
async function run(lane, plan) {
  const { options, call, abortAfter, closeAfter, secrets } = plan;
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
  const context = {
    ...{ client, options: optionsOf.get(client), signal: caller.signal, library, server },
  };
  let outcome = "answered";
  try {
    await CALLS[call]?.(context);
  } catch (error) {
    outcome = outcomeOf(error, closed, secrets);
  }
  for (const timer of timers) if (timer) clearTimeout(timer);
  process.send?.({ lane, outcome, memory: process.memoryUsage().rss });
}

/** A new client for a lane. @type {(lane: number, options: any) => Promise<Client>} */
async function replace(lane, options) {
  await clients.get(lane)?.close();
  const client = new EtcdClient(options);
  clients.set(lane, client);
  optionsOf.set(client, options);
  return client;
}

/**
 * An error that is documented by its name; any other with its stack.
 *
 * @param {unknown} error @param {boolean} closed @param {readonly string[]} secrets
 */
function outcomeOf(error, closed, secrets) {
  const text = inspect(error, {
    depth: 10,
    maxStringLength: Number.POSITIVE_INFINITY,
    showHidden: true,
  });
  if (secrets.some((secret) => text.includes(secret))) return `leaked: ${text}`;
  if (error instanceof Error && error.name === "AssertionError") return `malformed: ${error.stack}`;
  const isUsual = error instanceof EtcdError || error instanceof AbortError;
  // The option `auth` is refused on the v3 API.
  const isMisuse =
    error instanceof TypeError && (closed || ("code" in error && error.code === "ETCD_OPTION"));
  return isUsual || isMisuse ? /** @type {Error} */ (error).name : `undocumented: ${text}`;
}

process.on("warning", (warning) => {
  throw warning;
});

process.on("message", async (/** @type {any} */ message) => {
  if (message.end !== true) return run(message.lane, message.plan);
  for (const client of clients.values()) await client.close();
  // Anything left behind would keep the process alive.
  process.disconnect();
});
process.send?.({ ready: true });
