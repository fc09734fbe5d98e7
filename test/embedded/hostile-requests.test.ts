import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { expectServed } from "./expect-served.js";
import { ask, get, put, RawClient } from "./raw-client.js";

const MIB = 1024 * 1024;

let etcd: EmbeddedEtcd;
let usedBefore = 0;

beforeAll(async () => {
  etcd = await startEmbeddedEtcd();
  await (await fetch(etcd.url)).text();
  usedBefore = process.memoryUsage().rss;
});

afterEach(async () => {
  await expectServed(etcd.url);
  expect(process.memoryUsage().rss - usedBefore).toBeLessThan(400 * MIB);
});

afterAll(() => etcd.close());

describe("bodies", () => {
  const tooLarge = /^HTTP\/1.1 400 [\s\S]*"errorCode":210,.*"cause":"http: POST too large"/;

  it("of 10 MiB are stored, one byte more is refused", async () => {
    const largest = "x".repeat(10 * MIB - "value=".length);
    expect(await ask(etcd.url, put("/large", `value=${largest}`))).toMatch(/^HTTP\/1.1 201 /);
    expect(await ask(etcd.url, put("/large", `value=${largest}x`))).toMatch(tooLarge);
    await ask(
      etcd.url,
      "DELETE /v2/keys/large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
  });

  it("without an end are refused, and the connection is closed", async () => {
    using client = new RawClient(etcd.url);
    const type = "Content-Type: application/x-www-form-urlencoded";
    const chunk = `100000\r\n${"x".repeat(MIB)}\r\n`;
    client.send(
      `PUT /v2/keys/a HTTP/1.1\r\nHost: localhost\r\n${type}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    let sent = 0;
    while (!client.received && !client.socket.destroyed) {
      if (client.send(chunk).socket.writableNeedDrain) await drained(client);
      sent += 1;
    }
    expect(await client.ended()).toMatch(tooLarge);
    expect(sent).toBeLessThan(200);
  });

  it.each([
    ["DELETE", "application/x-www-form-urlencoded"],
    ["PUT", "application/json"],
  ])("that the server does not need are discarded: %s of %s", async (method, type) => {
    using client = new RawClient(etcd.url);
    const head = `${method} /v2/keys/none?prevExist=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}`;
    client.send(`${head}\r\nContent-Length: ${20 * MIB}\r\n\r\n`);
    await client.got(/^HTTP\/1.1 404 /);
    for (let mib = 0; mib < 20; mib++) {
      if (client.send("x".repeat(MIB)).socket.writableNeedDrain) await drained(client);
    }
    client.send(get("/version"));
    await client.got(/HTTP\/1.1 200 OK[\s\S]*"etcdserver"/);
  });

  it("that are aborted change nothing", async () => {
    using client = new RawClient(etcd.url);
    client.send(put("/aborted", `value=${"x".repeat(1000)}`).slice(0, -500));
    await (await fetch(etcd.url)).text();
    client.socket.destroy();
    using polite = new RawClient(etcd.url);
    polite.send(put("/aborted", "value=1").slice(0, -1)).halfClose();
    expect(await polite.ended()).toMatch(/^(HTTP\/1.1 400 [\s\S]*"cause":"unexpected EOF"|$)/);
    expect((await fetch(`${etcd.url}/v2/keys/aborted`)).status).toBe(404);
  });

  it("with a malformed chunk are refused", async () => {
    const type = "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked";
    const head = `PUT /v2/keys/chunk HTTP/1.1\r\nHost: localhost\r\n${type}`;
    const response = await ask(etcd.url, `${head}\r\n\r\n3\r\nval\r\nzz\r\n`);
    expect(response).toMatch(/^HTTP\/1.1 400 [\s\S]*"errorCode":210/);
    expect(response.match(/HTTP\/1.1/g)).toHaveLength(1);
    expect((await fetch(`${etcd.url}/v2/keys/chunk`)).status).toBe(404);
  });
});

describe("parameters", () => {
  it.each([
    [10_000, /^HTTP\/1.1 201 /],
    [10_001, /^HTTP\/1.1 400 [\s\S]*"errorCode":210,.*parameters exceeded limit/],
  ])("are at most 10,000: %d", async (count, response) => {
    const many = Array.from({ length: count - 1 }, (_, number) => `p${number}`).join("&");
    expect(await ask(etcd.url, put("/many", `value=1&${many}`))).toMatch(response);
    await ask(
      etcd.url,
      "DELETE /v2/keys/many HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
  });

  it.each([
    ["path", get("/v2/keys/%ff", "Connection: close\r\n")],
    ["query", get("/v2/keys/a?x=%ff", "Connection: close\r\n")],
    ["form", put("/a", "value=%ff")],
    ["form, as bytes", put("/a", "value=\xff")],
  ])("that are not UTF-8 are refused: %s", async (_where, request) => {
    expect(await ask(etcd.url, request)).toMatch(/^HTTP\/1.1 400 [\s\S]*"errorCode":210/);
  });

  it("and keys can contain an escaped NUL", async () => {
    expect(await ask(etcd.url, put("/n%00l", "value=%00"))).toMatch(/^HTTP\/1.1 201 /);
    const response = await ask(etcd.url, get("/v2/keys/n%00l", "Connection: close\r\n"));
    expect(response).toContain('"key":"/n\\u0000l","value":"\\u0000"');
  });
});

describe("HTTP", () => {
  it.each([
    ["a raw NUL in the target", get("/v2/keys/n\0l"), 400],
    ["a byte beyond ASCII in the target", get("/v2/keys/\xff"), 400],
    ["a bad escape in the path", get("/v2/keys/%zz"), 400],
    ["a lower-case method", get("/v2/keys/a").toLowerCase(), 400],
    ["no Host", "GET /version HTTP/1.1\r\n\r\n", 400],
    [
      "a bad length",
      "PUT /v2/keys/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
      400,
    ],
    ["garbage", "\x16\x03\x01\x02\r\n\r\n", 400],
    ["headers over 1 MiB", get("/version", `X: ${"x".repeat(MIB + 1)}\r\n`), 431],
    ["a target over 1 MiB", get(`/v2/keys/${"x".repeat(MIB + 1)}`), 431],
    ["HTTP/1.0", "GET /version HTTP/1.0\r\n\r\n", 200],
    ["an unknown expectation", get("/version", "Expect: 1\r\nConnection: close\r\n"), 417],
  ])("with %s gets one response, and the connection is closed", async (_what, request, status) => {
    const response = await ask(etcd.url, request);
    expect(response).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(response.match(/HTTP\/1.1/g)).toHaveLength(1);
  });
});

async function drained({ socket }: RawClient): Promise<void> {
  await new Promise((resolve) => {
    socket.once("drain", resolve).once("close", resolve).once("data", resolve);
  });
}
