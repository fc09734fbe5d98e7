// @ts-check
/**
 * What a driver reads from its standard input and writes to its standard output, in any language: one
 * JSON object per line. A driver uses its client with the client's default options.
 *
 *     {"id": 1, "op": "get",  "key": "/k"}
 *     {"id": 2, "op": "add",  "key": "/queue", "value": "a"}   creates an in-order key in the directory
 *                                                              `/queue`; in v3, puts the key `/queue/a`
 *     {"id": 3, "op": "swap", "key": "/k", "from": "a", "to": "b"}   compare-and-swap by value
 *     {"id": 4, "op": "watch", "key": "/w"}                    watches everything below `/w`
 *
 * The driver runs the operations concurrently, and responds to each one when its client does:
 *
 *     {"id": 1}                     it succeeded
 *     {"id": 2, "error": "…"}       it failed; the text of the error
 *
 * A watch also writes
 *
 *     {"event": "value"}            a write below the key
 *     {"notice": "error" | "resync" | "connection", "text": "…"}
 *
 * `error`: the client returned or emitted an error. `resync`: the client reported that events are lost.
 * `connection`: the client reported the state of its connection. If a client ends its watch with an
 * error, the driver continues it after the last event that it received.
 */
import { createInterface } from "node:readline";

/**
 * @typedef {object} Client
 * @property {(key: string) => Promise<unknown>} get
 * @property {(key: string, value: string) => Promise<unknown>} add
 * @property {(key: string, from: string, to: string) => Promise<unknown>} swap
 * @property {(key: string, tell: Tell) => Promise<unknown>} watch resolves when the watch was opened
 */

/**
 * @typedef {object} Tell
 * @property {(value: string) => void} event
 * @property {(kind: "error" | "resync" | "connection", text: string) => void} notice
 */

/** @typedef {{ id: number, op: keyof Client, key: string, value: string, from: string, to: string }} Request */

/** @type {Tell} */
const tell = {
  event: (value) => print({ event: value }),
  notice: (kind, text) => print({ notice: kind, text }),
};

/** Runs the requests of the standard input until it ends. @param {Client} client */
export async function serve(client) {
  // What a client throws in a callback of its own reaches its user this way.
  process.on("uncaughtException", (error) => tell.notice("error", `uncaught: ${error.message}`));
  for await (const line of createInterface({ input: process.stdin })) {
    /** @type {Request} */
    const request = JSON.parse(line);
    perform(client, request).then(
      () => print({ id: request.id }),
      (error) => print({ id: request.id, error: `${error.message}` }),
    );
  }
  process.exit();
}

/** @param {Client} client @param {Request} request @returns {Promise<unknown>} */
async function perform(client, { op, key, value, from, to }) {
  if (op === "get") return client.get(key);
  if (op === "add") return client.add(key, value);
  if (op === "swap") return client.swap(key, from, to);
  return client.watch(key, tell);
}

/** @param {object} message */
function print(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
