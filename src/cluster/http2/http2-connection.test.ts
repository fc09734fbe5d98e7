import { once } from "node:events";
import { createServer } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../time/clock.js";
import type { HttpRequest } from "../../wire/http.js";
import { Exchange } from "../exchange/exchange.js";
import { Http2Connection } from "./http2-connection.js";

const REQUEST: HttpRequest = {
  method: "GET",
  path: "/",
  safety: "read",
  scope: "local",
  operation: "GET /",
};

/** Milliseconds. */
const KEEP_ALIVE = 20;
const LONGER = 100;

test("a connection closes after its idle time without streams, but not during a silent stream", async () => {
  const server = createServer().on("stream", (stream) => {
    stream.respond({ ":status": 200 });
    setTimeout(() => stream.end("done"), LONGER);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const origin = new URL(`http://127.0.0.1:${port}`);
  const socket = connect(port, "127.0.0.1");
  const common = { timeout: 5_000, clock: systemClock, keepAlive: KEEP_ALIVE };
  const settings = { ...common, carries: "watches" } as const;
  const connection = new Http2Connection(origin, socket, settings, () => {});
  await connection.ready;
  const exchange = new Exchange(
    {
      request: REQUEST,
      endpoint: origin.origin,
      limits: { timeout: 5_000 },
      streams: false,
      hops: 0,
      startedAt: 0,
    },
    { maxResponseSize: 1_000, clock: systemClock },
  );
  expect(connection.start(exchange, [])).toBe(true);
  expect(await exchange.response).toMatchObject({ status: 200, body: "done" });
  await once(socket, "close");
  server.close();
});
