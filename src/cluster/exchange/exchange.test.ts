import { expect, test } from "vitest";
import { heldAfter } from "../../../test/support/held-memory.js";
import { systemClock } from "../../time/clock.js";
import type { HttpRequest } from "../../wire/http.js";
import { Exchange } from "./exchange.js";

const READ: HttpRequest = {
  method: "GET",
  path: "/",
  safety: "read",
  scope: "local",
  operation: "GET /",
};

const start = (maxResponseSize: number): Exchange => {
  const outgoing = { request: READ, endpoint: "http://a:1", streams: false, hops: 0, startedAt: 0 };
  const settings = { maxResponseSize, clock: systemClock };
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
