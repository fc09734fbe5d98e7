import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { EtcdClient, ProtocolError } from "../src/index.js";
import {
  ETCD_HEADERS,
  GOOD_SET,
  type OddServer,
  type Responder,
  reply,
  startOddServer,
  writeWithoutEnd,
} from "./odd-server.js";

const LIMIT = 1000;

let server: OddServer;
let client: EtcdClient;

beforeAll(async () => {
  server = await startOddServer(reply(200, GOOD_SET));
  client = new EtcdClient({ urls: [server.url], maxResponseSize: LIMIT });
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(async () => {
  await client?.close();
  await server?.[Symbol.asyncDispose]();
});

/** Responds to a watch with this text, and keeps the response open. */
const stream =
  (...pieces: readonly string[]): Responder =>
  (response) => {
    response.writeHead(200, ETCD_HEADERS);
    for (const piece of pieces) response.write(piece);
  };

/** Checks that the watch fails and its connection is closed. */
async function expectBroken(respond: Responder): Promise<void> {
  const closed = new Promise<unknown>((resolve) => {
    server.respond = (response, request) => {
      resolve(once(response, "close"));
      respond(response, request);
    };
  });
  await expect(client.watchNode("/a")).rejects.toThrow(ProtocolError);
  await closed;
  expect(server.requests).toHaveLength(1);
}

const event = (value: string): string => GOOD_SET.replace('"1"', JSON.stringify(value));

test("valid events are accepted, also in pieces", async () => {
  for (const respond of [
    reply(200, GOOD_SET),
    stream(GOOD_SET),
    stream(GOOD_SET.slice(0, 20), GOOD_SET.slice(20)),
    stream("", GOOD_SET + GOOD_SET),
  ]) {
    server.respond = respond;
    expect((await client.watchNode("/a")).node.value).toBe("1");
  }
});

test.each([
  ["garbage", "garbage\n"],
  ["an HTML page", "<!doctype html>\n<title>Welcome</title>\n"],
  ["an empty line", "\n"],
  ["half an event", '{"action":"set","node":{"key":"/a"\n'],
  ["another shape", '{"action":"set","node":[]}\n'],
  ["a list", "[]\n"],
  ["no node", '{"action":"set"}\n'],
  ["no action", GOOD_SET.replace('"set"', "null")],
  ["no index", '{"action":"set","node":{"key":"/a","value":"1"}}\n'],
  ["an index beyond 2^53", GOOD_SET.replaceAll(":7", ":9007199254740993")],
  ["__proto__ as a name", GOOD_SET.replace('"action"', '"__proto__":{},"action"')],
])("%s in place of an event fails the watch", async (_what, text) => {
  await expectBroken(stream(text));
});

test("an event larger than maxResponseSize fails the watch, complete or endless", async () => {
  await expectBroken(stream(event("x".repeat(2 * LIMIT))));
  server.requests.length = 0;
  await expectBroken(stream(event("x".repeat(2 * LIMIT)).trimEnd()));
  server.requests.length = 0;
  await expectBroken((response) => {
    response.writeHead(200, ETCD_HEADERS);
    writeWithoutEnd(response, "x".repeat(500));
  });
});

test("an event of exactly maxResponseSize is delivered", async () => {
  const value = "x".repeat(LIMIT - (event("").length - "\n".length));
  server.respond = stream(event(value));
  expect((await client.watchNode("/a")).node.value).toBe(value);
  server.requests.length = 0;
  await expectBroken(stream(event(`${value}x`)));
});

test.each([undefined, "", "abc", "9007199254740993"])(
  "a watch whose response has the index %j fails",
  async (index) => {
    await expectBroken((response) => {
      const { "x-etcd-index": _, ...others } = ETCD_HEADERS;
      const headers = index === undefined ? others : { ...others, "x-etcd-index": index };
      response.writeHead(200, headers).flushHeaders();
    });
  },
);

test("a watch that ends without an event is reopened at the same index", async () => {
  server.respond = (response, request) => {
    const [body, index] = server.requests.length < 3 ? ["", "7"] : [GOOD_SET, "20"];
    reply(200, body, { "x-etcd-index": index })(response, request);
  };
  expect((await client.watchNode("/a")).node.value).toBe("1");
  const paths = server.requests.map(({ path }) => path);
  expect(paths[0]).not.toContain("waitIndex");
  expect(paths.slice(1)).toEqual([
    expect.stringContaining("waitIndex=8"),
    expect.stringContaining("waitIndex=8"),
  ]);
});

test("an event that is cut off is requested again", async () => {
  server.respond = (response) => {
    server.respond = reply(200, GOOD_SET);
    response.writeHead(200, ETCD_HEADERS);
    response.write(GOOD_SET.slice(0, 30), () => response.destroy());
  };
  expect((await client.watchNode("/a")).node.value).toBe("1");
  expect(server.requests[1]?.path).toContain("waitIndex=8");
});

test("events of other keys are skipped", async () => {
  server.respond = (response, request) => {
    const odd = GOOD_SET.replace('"/a"', '"/ab"');
    reply(200, server.requests.length === 1 ? odd : GOOD_SET)(response, request);
  };
  expect((await client.watchNode("/a")).node.key).toBe("/a");
  expect(server.requests[1]?.path).toContain("waitIndex=8");
});

test.each([
  [502, "<html>Bad Gateway</html>"],
  [204, ""],
  [400, "[]"],
])("%i with %j in place of a watch", async (status, body) => {
  server.respond = reply(status, body);
  await expect(client.watchNode("/a")).rejects.toThrow(ProtocolError);
});
