// @ts-check
import { once } from "node:events";
import { connect } from "node:net";

/** Opened at a time. */
const BATCH = 200;
const REQUEST = "GET /v2/keys/watched?wait=true HTTP/1.1\r\nHost: localhost\r\n\r\n";

/**
 * A long poll on a bare socket, whose reader looks for the event and nothing else: in this process everything that
 * a client does with 10,000 responses would be measured, too.
 */
class BarePoll {
  #socket;
  /** When the event arrives. @type {Promise<void>} */
  event = Promise.resolve();

  /** @param {string} url */
  constructor(url) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
  }

  /** Sends the request, and waits until the server has sent the headers. */
  async poll() {
    const socket = this.#socket;
    socket.write(REQUEST);
    // The end of the former response may arrive by itself.
    for (;;) if (String((await once(socket, "data"))[0]).includes("HTTP/1.1 200")) break;
    this.event = new Promise((resolve) => {
      const onData = (/** @type {Buffer} */ chunk) => {
        if (!chunk.includes("modifiedIndex")) return;
        socket.off("data", onData);
        resolve();
      };
      socket.on("data", onData);
    });
  }

  close() {
    this.#socket.destroy();
  }
}

/** @param {readonly string[]} urls that share the polls @param {number} count @returns {Promise<readonly BarePoll[]>} */
export async function openPolls(urls, count) {
  const polls = Array.from({ length: count }, (_, n) => new BarePoll(urls[n % urls.length] ?? ""));
  await pollAll(polls);
  return polls;
}

/** @param {readonly BarePoll[]} polls */
export async function pollAll(polls) {
  for (let n = 0; n < polls.length; n += BATCH) {
    await Promise.all(polls.slice(n, n + BATCH).map((each) => each.poll()));
  }
}

/** @param {readonly BarePoll[]} polls */
export async function allEvents(polls) {
  await Promise.all(polls.map(({ event }) => event));
}
