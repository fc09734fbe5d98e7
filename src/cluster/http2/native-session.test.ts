import { once } from "node:events";
import { type ClientHttp2Stream, connect, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { collectGarbage } from "../../../test/support/held-memory.js";
import { keepForStream, nativeSessionOf } from "./native-session.js";

/** A stream that was reset. Its session is closed and has no other reference. */
async function resetStream(port: number): Promise<[ClientHttp2Stream, WeakRef<object>]> {
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, "connect");
  const native = nativeSessionOf(session);
  if (native === undefined) throw new Error("Node keeps the native session elsewhere");
  const stream = session.request().on("error", () => {});
  await new Promise((resolve) => stream.once("close", resolve));
  keepForStream(stream, native);
  session.destroy();
  await once(session, "close");
  return [stream, new WeakRef(native)];
}

test("a native session is not collected before a stream that was reset", async () => {
  const server = createServer((_, response) => response.stream.close(1));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const streams: ClientHttp2Stream[] = [];
  const [stream, native] = await resetStream(port);
  streams.push(stream);
  for (let round = 0; round < 3; round++) await collectGarbage();
  expect(native.deref()).toBeDefined();
  expect(streams.pop()?.rstCode).toBe(1);
  server.close();
});

test("a native session does not outlive its streams for long", async () => {
  const server = createServer((_, response) => response.stream.close(1));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const natives: WeakRef<object>[] = [];
  for (let count = 0; count < 5; count++) natives.push((await resetStream(port))[1]);
  const left = async () => {
    await collectGarbage();
    return natives.filter((native) => native.deref() !== undefined).length;
  };
  // The last one may still be on the stack.
  await expect.poll(left).toBeLessThan(2);
  server.close();
});
