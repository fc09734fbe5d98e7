import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../time/clock.js";
import type { HttpRequest } from "../../wire/http.js";
import { Exchange } from "../exchange/exchange.js";
import { Http2StreamAdapter } from "./http2-stream-adapter.js";

const WRITE: HttpRequest = {
  method: "PUT",
  path: "/",
  safety: "write",
  scope: "quorum",
  operation: "PUT /",
};

/** A method of Node's session that its types lack. */
interface Numbering {
  setNextStreamID(id: number): void;
}

test("a write is reported as not sent if the connection has no stream number left", async () => {
  const server = createServer().on("stream", (stream) => stream.respond({ ":status": 200 }));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const session = connect(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  ) as ClientHttp2Session & Numbering;
  session.on("error", () => {});
  await once(session, "connect");
  session.setNextStreamID(2 ** 31 - 1);
  session.request().on("error", () => {});
  const exchange = new Exchange(
    {
      request: WRITE,
      endpoint: "http://a:1",
      limits: { timeout: 5_000 },
      streams: false,
      hops: 0,
      startedAt: 0,
    },
    { maxResponseSize: 1_000, clock: systemClock },
  );
  const owner = {
    lastStream: Number.MAX_SAFE_INTEGER,
    onSilentStream: () => {},
    onBroken: () => {},
  };
  new Http2StreamAdapter(session.request(), owner).drive(exchange);
  await expect(exchange.response).rejects.toMatchObject({ processed: "no", endpointIs: "ready" });
  session.destroy();
  server.close();
});
