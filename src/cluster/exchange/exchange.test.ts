import { expect, test } from "vitest";
import { heldAfter } from "../../../test/support/held-memory.js";
import { systemClock } from "../../time/clock.js";
import type { HttpRequest } from "../../wire/http.js";
import { Exchange } from "./exchange.js";
import type { ReceiveBudget } from "./receive-budget.js";

const READ: HttpRequest = {
  method: "GET",
  path: "/",
  safety: "read",
  scope: "local",
  operation: "GET /",
};

const start = (
  maxResponseSize: number,
  { request = READ, receiveBudget }: { request?: HttpRequest; receiveBudget?: ReceiveBudget } = {},
): Exchange => {
  const outgoing = { request, endpoint: "http://a:1", streams: false, hops: 0, startedAt: 0 };
  const settings = { maxResponseSize, receiveBudget, clock: systemClock };
  const exchange = new Exchange({ ...outgoing, limits: { timeout: 5_000 } }, settings);
  const flow = { pause: () => {}, resume: () => {}, abort: () => {} };
  exchange.start(flow);
  exchange.onHead(flow, 200, {});
  return exchange;
};

test("a body takes little more memory than its bytes, however small the pieces", async () => {
  // Each piece is a view of a block of the size of a socket read.
  let exchange = start(1_000_000);
  const held = await heldAfter(() => {
    for (let sent = 0; sent < 200_000; sent++) exchange.onData(Buffer.from("x"));
    for (let sent = 0; sent < 200; sent++) {
      exchange.onData(Buffer.alloc(65_536, "x").subarray(0, 1));
    }
    return exchange;
  });
  expect(held).toBeLessThan(2_000_000);
  exchange.end();
  expect(await exchange.response).toMatchObject({ body: "x".repeat(200_200) });

  exchange = start(1_000);
  for (let sent = 0; sent <= 1_000; sent++) exchange.onData(Buffer.from("x"));
  await expect(exchange.response).rejects.toMatchObject({
    name: "ResponseTooLargeError",
    maxResponseSize: 1000,
  });
});

/** A budget of ten bytes, and what was reserved in it. */
function tenBytes() {
  const reserved: (number | "released")[] = [];
  const receiveBudget: ReceiveBudget = {
    reserve: (giveUp) => ({
      set(bytes) {
        reserved.push(bytes);
        if (bytes > 10) giveUp(new Error("no memory"));
      },
      release: () => reserved.push("released"),
    }),
  };
  return { reserved, receiveBudget };
}

test("a response that does not get the memory is given up, and what it had is released", async () => {
  const { reserved, receiveBudget } = tenBytes();
  const read = start(1_000, { receiveBudget });
  for (const piece of ["12345", "67890", "x"]) read.onData(Buffer.from(piece));
  await expect(read.response).rejects.toThrow("no memory");
  expect(reserved).toEqual([5, 10, 11, "released"]);

  const small = start(1_000, { receiveBudget });
  small.onData(Buffer.from("12345"));
  small.end();
  expect(await small.response).toMatchObject({ body: "12345" });
  expect(reserved.slice(4)).toEqual([5, "released"]);
});

test("a write whose response does not get the memory has an unknown outcome", async () => {
  const write: HttpRequest = { ...READ, method: "PUT", safety: "write", scope: "quorum" };
  const exchange = start(1_000, { request: write, ...tenBytes() });
  exchange.onData(Buffer.from("12345678901"));
  await expect(exchange.response).rejects.toMatchObject({ processed: "unknown" });
});
