import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it } from "vitest";
import { MemoryBudget } from "./memory-budget.js";
import type { PiecedBody, ServerReply } from "./message.js";
import { sendReply } from "./send-reply.js";

const LIMIT = 64 * 1024;

/** The bytes that a client receives. */
async function received(body: ServerReply["body"], limit = Number.MAX_SAFE_INTEGER) {
  const budget = new MemoryBudget(limit);
  const server = createServer((_request, response) => {
    void sendReply({ status: 200, headers: [], body }, response, budget);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return await answer.text();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

it("sends a large text completely, wherever it is split", async () => {
  for (const start of ["", "a"]) {
    const text = `${start}${"😀".repeat(400_000)}`;
    expect((await received(text)) === text).toBe(true);
  }
});

it("counts nothing for a client that has gone before its response", async () => {
  const budget = new MemoryBudget(LIMIT);
  let isEnded = false;
  const end = async () => {
    isEnded = true;
    return { done: true, value: undefined } as const;
  };
  const body: PiecedBody = {
    heldBytes: LIMIT,
    [Symbol.asyncIterator]: () => ({ next: end, return: end }),
  };
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  client.destroy();
  await once(response, "close");
  for (const each of [body, "a".repeat(LIMIT)]) {
    await sendReply({ status: 200, headers: [], body: each }, response, budget);
    expect(budget.total).toBe(0);
  }
  expect(isEnded).toBe(true);
  server.close();
});

it("does not start pieces for which there is no room", async () => {
  let begun = false;
  const body: PiecedBody = {
    heldBytes: 2 * LIMIT,
    async *[Symbol.asyncIterator]() {
      begun = true;
      yield "never sent";
    },
  };
  await expect(received(body, LIMIT)).rejects.toThrow();
  expect(begun).toBe(false);
});
