/**
 * Responses that are aborted half-way. undici has assertions in its socket events: a failed one would
 * end the process, which the test run reports as an unhandled error.
 */

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { AbortError, EtcdClient, ProtocolError, TimeoutError } from "../../src/index.js";
import { ETCD_HEADERS, GOOD_SET } from "../odd-server.js";

const FIELDS = Object.entries(ETCD_HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");

/** Heads of responses. Most of these responses end with their connection. */
const HEADS = [
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\n"],
  ["no length", "HTTP/1.1 200 OK\r\n"],
  ["connection: close", "HTTP/1.1 200 OK\r\nconnection: close\r\n"],
  [
    "connection: close and a length",
    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 500\r\n",
  ],
  ["a length", "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n"],
] as const;

/** Responds to each request with these bytes, and passes on the socket. */
async function startServer(answer: string, then: (socket: Socket) => void = () => {}) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    socket.on("data", () => socket.write(answer, () => then(socket)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves when the client has closed every connection. */
    left: () => expect.poll(() => sockets.size).toBe(0),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

test.each(HEADS)("a call that is aborted in the middle of a response with %s", async (_, head) => {
  await using server = await startServer(`${head}${FIELDS}\r\n${"x".repeat(200)}`);
  const urls = [server.url];

  await using impatient = new EtcdClient({ urls, requestTimeout: 100 });
  await expect(impatient.getNode("/a")).rejects.toThrow(TimeoutError);

  await using aborted = new EtcdClient({ urls });
  const signal = AbortSignal.timeout(50);
  await expect(aborted.getNode("/a", { signal })).rejects.toThrow(AbortError);

  await using small = new EtcdClient({ urls, maxResponseSize: 100 });
  await expect(small.getNode("/a")).rejects.toThrow(ProtocolError);

  const closed = new EtcdClient({ urls });
  const call = closed.getNode("/a");
  setTimeout(() => closed.close(), 50);
  await expect(call).rejects.toThrow(AbortError);
  await server.left();
});

test.each(HEADS)("an aborted watch, whose response has %s", async (_, head) => {
  await using server = await startServer(`${head}${FIELDS}\r\n`);
  await using client = new EtcdClient({ urls: [server.url] });
  const signal = AbortSignal.timeout(100);
  await expect(client.watchNode("/a", { signal })).rejects.toThrow(AbortError);
  await server.left();

  const closed = new EtcdClient({ urls: [server.url] });
  const watch = closed.watchNode("/a");
  setTimeout(() => closed.close(), 100);
  await expect(watch).rejects.toThrow(AbortError);
  await server.left();
});

test("a watch that the server ends while no event is read", async () => {
  const events = GOOD_SET.repeat(1_000);
  for (const [, head] of HEADS.slice(0, 3)) {
    await using server = await startServer(`${head}${FIELDS}\r\n${events}`, (socket) => {
      setTimeout(() => socket.end(), 50);
    });
    await using client = new EtcdClient({ urls: [server.url] });
    const watch = await client.keySpace.openWatch({ key: "/a", stream: true });
    await server.left();
    let told = 0;
    for await (const { action } of watch) if (action === "set") told++;
    expect(told).toBe(1_000);
  }
});

test("a watch that the server resets while no event is read", async () => {
  for (const [, head] of HEADS.slice(0, 3)) {
    const answer = `${head}${FIELDS}\r\n${GOOD_SET.repeat(1_000)}`;
    await using server = await startServer(answer, (socket) => {
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    await using client = new EtcdClient({ urls: [server.url] });
    const watch = await client.keySpace.openWatch({ key: "/a", stream: true });
    await server.left();
    watch.close();
  }
});
