// @ts-check
import { once } from "node:events";
import { connect } from "node:net";

/** Opened at a time. */
const BATCH = 200;

/** @typedef {{ socket: import("node:net").Socket, event: Promise<void> }} BarePoll */

/**
 * Long polls on bare sockets, whose reader looks for the event and nothing else: in this process everything that
 * a client does with 10,000 responses would be measured, too.
 *
 * @param {string} url
 * @param {number} count
 * @returns {Promise<readonly BarePoll[]>}
 */
export async function openPolls(url, count) {
  /** @type {BarePoll[]} */
  const polls = [];
  while (polls.length < count) {
    const some = Array.from({ length: Math.min(BATCH, count - polls.length) }, () => open(url));
    polls.push(...(await Promise.all(some)));
  }
  return polls;
}

/** @param {string} url @returns {Promise<BarePoll>} */
async function open(url) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write("GET /v2/keys/watched?wait=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket, "data");
  const event = new Promise((resolve) => {
    socket.on("data", (chunk) => {
      if (chunk.includes("modifiedIndex")) resolve(undefined);
    });
  });
  return { socket, event };
}
