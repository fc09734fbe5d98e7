import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ClusterUnavailableError,
  EtcdClient,
  OutcomeUnknownError,
  ProtocolError,
  V2DisabledError,
} from "../src/index.js";
import {
  ETCD_HEADERS,
  good,
  type OddServer,
  type Responder,
  reply,
  startOddServer,
  writeWithoutEnd,
} from "./odd-server.js";

const LIMIT = 100_000;

let server: OddServer;
let client: EtcdClient;

beforeAll(async () => {
  server = await startOddServer(good);
  client = new EtcdClient({ urls: [server.url], maxResponseSize: LIMIT });
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(async () => {
  await client?.close();
  await server?.[Symbol.asyncDispose]();
});

/** With an unusable response, a read fails with `ProtocolError`, and the outcome of a write is unknown. */
async function expectUnusable(
  respond: Responder,
  Cause: new (...args: never[]) => Error = ProtocolError,
) {
  server.respond = respond;
  const read = await client.getNode("/a").catch((error: unknown) => error);
  expect(read).toBeInstanceOf(Cause);
  expect(read).toHaveProperty("message", expect.stringContaining("GET /a"));
  expect(read).toHaveProperty("message", expect.stringContaining(server.url));
  const write = await client.setNode("/a", "1").catch((error: unknown) => error);
  expect(write).toBeInstanceOf(OutcomeUnknownError);
  expect(write).toHaveProperty("message", expect.stringContaining("PUT /a"));
  if (Cause === ProtocolError) expect(write).toHaveProperty("cause", expect.any(ProtocolError));
  expect(server.requests.filter(({ method }) => method === "PUT")).toHaveLength(1);
}

/** The response to a `get` or a `set`, with this node. */
function withNode(node: string): Responder {
  return (response, request) => {
    const action = request.method === "GET" ? "get" : "set";
    reply(200, `{"action":"${action}","node":${node}}\n`)(response, request);
  };
}

const INDEXES = '"modifiedIndex":7,"createdIndex":7';
/** A response with the node as a grandchild. */
const deep = (node: string): string => {
  const child = node.replace('"key":"/a', '"key":"/a/b/c');
  return `{"key":"/a","dir":true,${INDEXES},"nodes":[{"key":"/a/b","dir":true,${INDEXES},"nodes":[${child}]}]}`;
};

test("a valid response is accepted", async () => {
  server.respond = good;
  expect((await client.getNode("/a")).node.value).toBe("1");
  expect((await client.setNode("/a", "1")).node.value).toBe("1");
  server.respond = withNode(deep(`{"key":"/a","value":"","ttl":-3,"later":null,${INDEXES}}`));
  expect((await client.getNode("/a")).node.nodes?.[0]?.nodes?.[0]?.key).toBe("/a/b/c");
});

describe("invalid bodies", () => {
  test.each([
    ["empty", ""],
    ["truncated", '{"action":"get","node":{"key":"/a","val'],
    ["two responses", '{"action":"get"}{"action":"get"}'],
    ["an HTML page", "<!doctype html><title>Welcome</title>"],
    ["null", "null"],
    ["a list", "[]"],
    ["a text", '"text"'],
    ["a number", "5"],
    ["an empty object", "{}"],
    ["without an action", '{"node":{"key":"/a","value":"1","modifiedIndex":7,"createdIndex":7}}'],
    ["without a node", '{"action":"set"}'],
    ["with an unknown action", `{"action":"steal","node":{"key":"/a",${INDEXES}}}`],
    ["with the action of another request", `{"action":"expire","node":{"key":"/a",${INDEXES}}}`],
  ])("%s", async (_what, body) => {
    await expectUnusable(reply(200, body));
  });

  test.each([
    ["null", "null"],
    ["a list", "[]"],
    ["a text", '"/a"'],
    ["neither a value nor a directory", `{"key":"/a",${INDEXES}}`],
    ["a value and a directory", `{"key":"/a","value":"1","dir":true,${INDEXES}}`],
    ["a value and children", `{"key":"/a","value":"1","nodes":[],${INDEXES}}`],
    ["an expiration that is no time", `{"key":"/a","value":"1","expiration":"soon",${INDEXES}}`],
    ["a key of another type", `{"key":5,"value":"1",${INDEXES}}`],
    ["a value of another type", `{"key":"/a","value":1,${INDEXES}}`],
    ["a dir that is false", `{"key":"/a","dir":false,${INDEXES}}`],
    ["a ttl that is a string", `{"key":"/a","value":"1","ttl":"5",${INDEXES}}`],
    ["a ttl with a fraction", `{"key":"/a","value":"1","ttl":1.5,${INDEXES}}`],
    ["an expiration that is a number", `{"key":"/a","value":"1","expiration":5,${INDEXES}}`],
    ["children that are not a list", `{"key":"/a","dir":true,"nodes":{},${INDEXES}}`],
    ["a child that is null", `{"key":"/a","dir":true,"nodes":[null],${INDEXES}}`],
    ["no indexes", '{"key":"/a","value":"1"}'],
    ["an index that is a string", '{"key":"/a","value":"1","modifiedIndex":"7","createdIndex":7}'],
    ["an index below 0", '{"key":"/a","value":"1","modifiedIndex":-7,"createdIndex":7}'],
    [
      "an index beyond 2^53",
      '{"key":"/a","value":"1","modifiedIndex":9007199254740993,"createdIndex":7}',
    ],
  ])("a node with %s, at the top and deep in the tree", async (_what, node) => {
    await expectUnusable(withNode(node));
    server.requests.length = 0;
    await expectUnusable(withNode(deep(node)));
  });

  test.each([
    ["another key", `{"key":"/b","value":"1",${INDEXES}}`],
    ["the key of a child", `{"key":"/a/b","value":"1",${INDEXES}}`],
    ["a key without a slash", `{"key":"a","value":"1",${INDEXES}}`],
    ["no key", '{"dir":true}'],
    ...["/b/c", "/a/b/c", "/a/", "/a", "/a/.", "/a/..", "b"].map((key) => [
      `a child with the key ${key}`,
      `{"key":"/a","dir":true,${INDEXES},"nodes":[{"key":"${key}","value":"1",${INDEXES}}]}`,
    ]),
  ])("a node with %s", async (_what, node) => {
    await expectUnusable(withNode(node));
  });

  test("a removed node with a value or with children", async () => {
    const odd = ['"value":"1"', '"dir":true,"nodes":[]'];
    for (const more of odd) {
      server.respond = reply(200, `{"action":"delete","node":{"key":"/a",${INDEXES},${more}}}`);
      await expect(client.deleteNode("/a")).rejects.toThrow(OutcomeUnknownError);
    }
  });

  test.each(["prevNode", "node"])("an index beyond 2^53 in %s", async (name) => {
    const odd = '{"key":"/a","value":"1","modifiedIndex":7,"createdIndex":9007199254740993}';
    const fine = `{"key":"/a","value":"1",${INDEXES}}`;
    await expectUnusable(reply(200, `{"action":"set","node":${fine},"${name}":${odd}}`));
  });

  test.each(["__proto__", "\\u005f_proto__", "__pro\\u0074o__", "\\u005F\\u005fproto__"])(
    "%s as a name",
    async (name) => {
      const inNode = `{"key":"/a","value":"1",${INDEXES},"${name}":{"dir":true}}`;
      for (const node of [inNode, deep(inNode)]) {
        await expectUnusable(withNode(node));
        server.requests.length = 0;
      }
      const node = `{"key":"/a","value":"1",${INDEXES}}`;
      await expectUnusable(reply(200, `{"action":"set","node":${node},"${name}":{"polluted":1}}`));
      expect({}).not.toHaveProperty("polluted");
    },
  );

  test("a tree of 2,000 levels is accepted", async () => {
    await using patient = new EtcdClient({ urls: [server.url] });
    const levels = Array.from(
      { length: 2_000 },
      (_, level) => `{"key":"/a${"/b".repeat(level)}","dir":true,${INDEXES},"nodes":[`,
    );
    server.respond = withNode(`${levels.join("")}${"]}".repeat(levels.length)}`);
    let { node } = await patient.getNode("/a");
    let count = 1;
    for (; node.nodes?.[0] !== undefined; count++) node = node.nodes[0];
    expect(count).toBe(levels.length);
  });
});

describe("invalid statuses and headers", () => {
  test.each([
    [502, "<html><body>Bad Gateway</body></html>"],
    [503, ""],
    [500, "oops"],
    [500, '{"error":"oops"}'],
    [404, "<h1>Not Found</h1>"],
    [400, '{"errorCode":100}'],
    [400, '{"errorCode":"100","message":5}'],
    [404, '{"errorCode":100.5,"message":"Key not found","index":7}'],
    [404, '{"errorCode":-100,"message":"Key not found","index":7}'],
    [404, '{"errorCode":100,"message":"Key not found","index":-7}'],
    [404, '{"errorCode":100,"message":"Key not found","index":"7"}'],
    [400, "[1]"],
    [204, ""],
    [303, ""],
    [304, ""],
    [404, '{"errorCode":100,"message":"Key not found","cause":"/a","index":9007199254740993}'],
  ])("%i with the body %s", async (status, body) => {
    await expectUnusable(reply(status, body));
  });

  test.each([undefined, "", "abc", "-1", "1.5", "0x10", "1e3", "9007199254740993"])(
    "an X-Etcd-Index of %j",
    async (index) => {
      await expectUnusable((response, request) => {
        const { "x-etcd-index": _, ...others } = ETCD_HEADERS;
        const headers = index === undefined ? others : { ...others, "x-etcd-index": index };
        const action = request.method === "GET" ? "get" : "set";
        const body = `{"action":"${action}","node":{"key":"/a","value":"1",${INDEXES}}}`;
        response.writeHead(200, headers).end(body);
      });
    },
  );

  test.each(["x-raft-index", "x-raft-term"])("a rounded %s is refused", async (name) => {
    await expectUnusable((response, request) => {
      response.setHeader(name, "9007199254740993");
      const { [name as "x-raft-index"]: _, ...headers } = ETCD_HEADERS;
      const action = request.method === "GET" ? "get" : "set";
      const body = `{"action":"${action}","node":{"key":"/a","value":"1",${INDEXES}}}`;
      response.writeHead(200, headers).end(body);
    });
  });

  test("a response whose headers or body are cut off", async () => {
    const cut: Responder = (response) => {
      response.writeHead(200, { ...ETCD_HEADERS, "content-length": "1000" });
      response.write('{"action":"get",', () => response.destroy());
    };
    await expectUnusable(cut, ClusterUnavailableError);
  });

  test("data that is not HTTP", async () => {
    const garbage: Responder = (response) => {
      response.socket?.end("220 mail.example.org ESMTP\r\n\r\n");
    };
    await expectUnusable(garbage, ClusterUnavailableError);
  });

  test("a connection that closes without a response", async () => {
    await expectUnusable((response) => response.destroy(), ClusterUnavailableError);
  });
});

describe("responses larger than maxResponseSize", () => {
  const huge = Buffer.alloc(16 * LIMIT, "x");

  test("with a Content-Length", async () => {
    await expectUnusable(reply(200, huge, { "content-length": huge.length }));
    server.requests.length = 0;
    await expectUnusable(reply(500, huge, { "content-length": huge.length }));
  });

  test("in endless chunks: the client stops reading and closes the connection", async () => {
    const closed: Promise<unknown>[] = [];
    await expectUnusable((response) => {
      closed.push(once(response, "close"));
      response.writeHead(200, ETCD_HEADERS);
      writeWithoutEnd(response, huge);
    });
    expect(closed).toHaveLength(2);
    await Promise.all(closed);
  });

  test("a value of exactly that size is too large, a response of that size is not", async () => {
    const around =
      `{"key":"/a",${INDEXES},"value":""}`.length + '{"action":"get","node":}\n'.length;
    const ofLength = (length: number): Responder =>
      withNode(`{"key":"/a",${INDEXES},"value":"${"x".repeat(length - around)}"}`);
    server.respond = ofLength(LIMIT);
    expect((await client.getNode("/a")).node.value).toHaveLength(LIMIT - around);
    await expectUnusable(ofLength(LIMIT + 1));
  });
});

describe("the plain 404 page", () => {
  const page = reply(404, "404 page not found\n", { "content-type": "text/plain; charset=utf-8" });

  test("at every endpoint: V2DisabledError for reads, writes and watches", async () => {
    await using other = await startOddServer(page);
    server.respond = page;
    await using both = new EtcdClient({ urls: [server.url, other.url] });
    const calls = [both.getNode("/a"), both.setNode("/a", "1"), both.watchNode("/a")];
    for (const { status, ...result } of await Promise.allSettled(calls)) {
      expect(status).toBe("rejected");
      const error: unknown = "reason" in result ? result.reason : undefined;
      expect(error).toBeInstanceOf(V2DisabledError);
      expect(error).toHaveProperty("message", expect.stringContaining(server.url));
      expect(error).toHaveProperty("message", expect.stringContaining(other.url));
    }
  });

  test("at one endpoint: the call goes to the next one, also a write", async () => {
    await using other = await startOddServer(page);
    server.respond = good;
    await using both = new EtcdClient({ urls: [server.url, other.url] });
    for (let round = 0; round < 5; round++) {
      expect((await both.setNode("/a", "1")).etcdServer).toBe(server.url);
      expect((await both.getNode("/a")).etcdServer).toBe(server.url);
    }
  });
});
