import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type EmbeddedEtcd, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { listen, type ServerLimits } from "../../src/server/http/http-server.js";
import { expectServed } from "./expect-served.js";
import { ask, get, put, RawClient } from "./raw-client.js";

const MIB = 1024 * 1024;

let etcd: EmbeddedEtcd;

async function start(limits: ServerLimits = {}): Promise<string> {
  etcd = await startEmbeddedEtcd({ limits });
  return etcd.url;
}

afterEach(() => etcd?.close());

const set = (key: string, value: string) => etcd.keySpace.execute({ action: "set", key, value });

describe("slow connections", () => {
  it("have a time limit for headers, but none between requests", async () => {
    const url = await start({ headersTimeout: 200 });
    using slow = new RawClient(url).send("GET /version HTTP/1.1\r\nHost:");
    using silent = new RawClient(url);
    using idle = new RawClient(url).send(get("/version"));
    expect(await slow.ended()).toMatch(/^HTTP\/1.1 408 /);
    expect(await silent.ended()).toMatch(/^HTTP\/1.1 408 /);
    idle.received = "";
    idle.send(get("/version"));
    await idle.got(/^HTTP\/1.1 200 /);
  });

  it("have a time limit for bodies, after which the request is refused", async () => {
    const url = await start({ requestTimeout: 200 });
    const response = await ask(url, put("/slow", "value=12").slice(0, -1));
    expect(response).toMatch(/^HTTP\/1.1 400 [\s\S]*"cause":"unexpected EOF"/);
    expect(response.match(/HTTP\/1.1/g)).toHaveLength(1);
    await expectServed(url);
  });

  it("stay open while idle, longer than by node:http's default", async () => {
    using client = new RawClient(await start());
    await client.send(get("/version")).got(/etcdserver/);
    await new Promise((resolve) => setTimeout(resolve, 6_500));
    client.received = "";
    await client.send(get("/version")).got(/etcdserver/);
  });

  it("of watches can last longer than the time limits of requests", async () => {
    const url = await start({ requestTimeout: 100, headersTimeout: 100 });
    using watch = new RawClient(url).send(get("/v2/keys/a?wait=true"));
    await watch.got(/\r\n\r\n/);
    using slow = new RawClient(url).send("GET");
    await slow.ended();
    await set("/a", "1");
    await watch.got(/"value":"1"/);
  });
});

describe("half-closed connections", () => {
  it("still receive their response", async () => {
    using client = new RawClient(await start()).send(put("/a", "value=1")).halfClose();
    expect(await client.ended()).toMatch(/^HTTP\/1.1 201 [\s\S]*"value":"1"/);
  });

  it("are closed after a response that comes later, also for pipelined requests", async () => {
    const slow = await listen(
      async ({ connection }) => {
        const socket = connection as Socket;
        if (!socket.readableEnded) await once(socket, "end");
        return { status: 200, headers: [], body: "late" };
      },
      { host: "127.0.0.1", port: 0 },
    );
    try {
      using client = new RawClient(slow.url).send(get("/version") + get("/version")).halfClose();
      expect((await client.ended()).match(/late/g)).toHaveLength(2);
    } finally {
      await slow.close();
    }
  });

  it.each([
    ["after it is open", true],
    ["at once", false],
  ])("get an empty body for a watch: %s", async (_when, isOpen) => {
    using watch = new RawClient(await start()).send(get("/v2/keys/a?wait=true"));
    if (isOpen) await watch.got(/\r\n\r\n/);
    expect(await watch.halfClose().ended()).toMatch(/^HTTP\/1.1 200 [\s\S]*\r\n\r\n0\r\n\r\n$/);
    await expect.poll(() => etcd.keySpace.stats.watchers).toBe(0);
  });
});

describe("pipelines", () => {
  it("receive responses in order, also behind a watch", async () => {
    using client = new RawClient(await start());
    client.send(get("/v2/keys/a?wait=true") + get("/v2/keys/a"));
    await client.got(/\r\n\r\n/);
    await set("/a", "1");
    await client.got(/"action":"set"[\s\S]*HTTP\/1.1 200 [\s\S]*"action":"get"/);
  });

  it("with garbage behind a request receive the response, then a refusal", async () => {
    using client = new RawClient(await start());
    client.send(`${get("/v2/keys/a?wait=true")}NONSENSE\r\n\r\nMORE NONSENSE`);
    await client.got(/\r\n\r\n/);
    await set("/a", "1");
    expect(await client.ended()).toMatch(/^HTTP\/1.1 200 [\s\S]*"value":"1"[\s\S]*HTTP\/1.1 400 /);
  });

  it("of requests for large values use bounded memory", async () => {
    const url = await start();
    await set("/large", "x".repeat(5 * MIB));
    const before = process.memoryUsage().rss;
    using client = new RawClient(url);
    client.socket.pause();
    client.send(get("/v2/keys/large").repeat(1_500));
    for (let round = 0; round < 20; round++) await expectServed(url);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 * MIB);
  });

  it("behind a watch are read only up to a limit", async () => {
    const url = await start();
    using client = new RawClient(url).send(get("/v2/keys/a?wait=true"));
    const burst = get("/v2/keys/none").repeat(10_000);
    let sent = 0;
    while (!client.socket.destroyed && sent < 100) {
      if (client.send(burst).socket.writableLength > MIB) break;
      sent += 1;
      await expectServed(url);
    }
    expect(sent).toBeLessThan(100);
  });

  it("of many requests behind a watch receive all responses", async () => {
    using client = new RawClient(await start());
    // More requests than the server queues per connection, so that it stops and resumes reading.
    client.send(get("/v2/keys/a?wait=true") + get("/v2/keys/none").repeat(300) + get("/version"));
    await client.got(/\r\n\r\n/);
    await set("/a", "1");
    await client.got(/etcdserver/);
    expect(client.received.split("404 Not Found")).toHaveLength(301);
  });
});

const watchers = (): number => etcd.keySpace.stats.watchers;

describe("watches", () => {
  it("5,000 of one client do not block other clients", async () => {
    const url = await start();
    const clients: RawClient[] = [];
    while (clients.length < 5_000) {
      for (let count = 0; count < 500; count++) {
        clients.push(new RawClient(url).send(get("/v2/keys/a?wait=true")));
      }
      await expect.poll(watchers).toBe(clients.length);
    }
    await expectServed(url);
    await set("/a", "1");
    await expect
      .poll(() => clients.every(({ received }) => received.endsWith("0\r\n\r\n")))
      .toBe(true);
    for (const { socket } of clients) socket.destroy();
    await expectServed(url);
  });

  it("with a reader that does not read end with an error, in bounded memory", async () => {
    const url = await start();
    using client = new RawClient(url).send(get("/v2/keys/a?wait=true&stream=true"));
    await client.got(/\r\n\r\n/);
    client.socket.pause();
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 600; round++) {
      await set("/a", `${round}`.padEnd(MIB / 10, "x"));
      await new Promise(setImmediate);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * MIB);
    expect(etcd.keySpace.stats.watchers).toBe(0);
    client.socket.resume();
    expect(await client.ended()).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});

it("connections above the maximum number are closed", async () => {
  const url = await start({ maxConnections: 2 });
  using one = new RawClient(url).send(get("/v2/keys/a?wait=true"));
  using two = new RawClient(url).send(get("/v2/keys/a?wait=true"));
  await Promise.all([one.got(/\r\n\r\n/), two.got(/\r\n\r\n/)]);
  expect(await ask(url, get("/version"))).toBe("");
  one.socket.destroy();
  await expect.poll(() => ask(url, get("/version", "Connection: close\r\n"))).toContain("200 OK");
});
