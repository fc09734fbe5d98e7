import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect } from "node:net";
import { array, assert, asyncProperty, constantFrom, nat, string, tuple } from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { afterSocketReads, nextTurn } from "../../time/event-loop.js";
import { type HttpServer, type ListenOptions, listen } from "./http-server.js";
import { plainError, type ServerReply, type ServerRequest } from "./message.js";

/** Two servers that serve alike: one reads plain requests itself, `node:http` reads all of the other. */
let servers: readonly HttpServer[];
const LISTEN: ListenOptions = { host: "127.0.0.1", port: 0, limits: { maxHeaderSize: 2_000 } };
beforeAll(async () => {
  servers = [await listen(reply, LISTEN), await listen(reply, { ...LISTEN, onlyNode: true })];
});
afterAll(() => Promise.all(servers.map((server) => server.close())));

/** What a handler sees of a request, in the form that the path asks for. */
async function reply(request: ServerRequest): Promise<ServerReply> {
  const { method, target, headers } = request;
  const body = await request.body().catch(String);
  const seen = JSON.stringify({ method, target, headers, body });
  const ok = { status: 200, headers: ["X-Length", String(seen.length)] };
  // Longer than all parts and the end of a connection take to arrive.
  if (target.includes("slow")) for (let turn = 0; turn < 20; turn++) await nextTurn();
  if (target.includes("wait")) {
    const { signal } = request;
    if (!signal.aborted) await once(signal, "abort");
  }
  if (target.includes("close")) return { ...ok, headers: ["Connection", "close"], body: seen };
  if (target.includes("empty")) return { ...plainError(404, ""), body: "" };
  if (target.includes("fail")) throw new Error("unexpected");
  if (target.includes("split")) return { ...ok, headers: ["Location", "\r\nX: y"], body: seen };
  if (target.includes("large")) return { ...ok, body: seen.repeat(400) };
  if (target.includes("pieces")) return { ...ok, body: piecesOf(seen) };
  return { ...ok, body: seen };
}

async function* piecesOf(text: string): AsyncGenerator<string> {
  yield text;
  yield "";
  await nextTurn();
  yield "é😀";
  yield text.repeat(200);
}

/** Sends parts, each of which the server reads before the next one, and half-closes the connection. */
async function answer(server: HttpServer, parts: readonly string[]): Promise<string> {
  const socket = connect({ port: Number(new URL(server.url).port), allowHalfOpen: true });
  let received = "";
  socket.setEncoding("latin1").on("data", (text) => {
    received += text;
  });
  socket.on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  for (const part of parts) {
    socket.write(part, "latin1");
    await new Promise<void>((resolve) => void afterSocketReads(resolve));
  }
  socket.end();
  await closed;
  return received.replaceAll(/\r\nDate: [^\r]+/g, "\r\nDate: …");
}

/** Both servers answer alike. @returns the answer */
async function same(...parts: readonly string[]): Promise<string> {
  const [own = "", node] = await Promise.all(servers.map((server) => answer(server, parts)));
  expect(own, JSON.stringify(parts)).toBe(node);
  return own;
}

const HOST = "Host: a\r\n";
const get = (key: string, headers = HOST) => `GET /v2/keys/${key} HTTP/1.1\r\n${headers}\r\n`;
const put = (form: string, headers = HOST, length: number | string = form.length) =>
  `PUT /v2/keys/a HTTP/1.1\r\n${headers}Content-Length: ${length}\r\n\r\n${form}`;

const PLAIN = [
  get("a"),
  get("a?wait=true&recursive=true"),
  get("slow"),
  get("large"),
  get("pieces"),
  get("slow-pieces"),
  get("close"),
  get("empty"),
  get("fail"),
  get("split"),
  get("%2e%2e/%zz"),
  get("a", `${HOST}Connection: Keep-Alive\r\nAccept: */*\r\nUser-Agent:x y\r\n`),
  get("a", `${HOST}Content-Length: 0\r\n`),
  put("value=x"),
  put("value=\xc3\xa9\xff"),
  put(""),
  "DELETE /v2/keys/a?dir=true HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /v2/keys HTTP/1.1\r\nHost: a\r\n\r\n",
];

const UNUSUAL = [
  get("a", ""),
  get("a", `${HOST}Host: b\r\n`),
  get("a", `${HOST}Connection: close\r\n`),
  get("a", `${HOST}Connection: upgrade\r\nUpgrade: x\r\n`),
  `${get("a", `${HOST}Content-Length: 3\r\n`)}abc`,
  get("a", `${HOST}X-Other: 1\r\n`),
  get("a", `${HOST}Accept: a\r\nAccept: b\r\n`),
  get("a", `${HOST}Accept: \r\n`),
  get("a", `${HOST}Accept : a\r\n`),
  get("a", `${HOST}Accept: a\r\n b\r\n`),
  get("a", `${HOST}Accept: \ta \r\n`),
  get("a", `${HOST}Accept: \x80\x01\r\n`),
  get("a", `${HOST}Accept: a\nX: b\r\n`),
  get("a", `${HOST}__proto__: a\r\nconstructor: b\r\n`),
  get("a", `${HOST}Authorization: ${"a".repeat(3_000)}\r\n`),
  get("\x80"),
  get("a b"),
  get("#a"),
  `\r\n${get("a")}`,
  get("a").replaceAll("\r\n", "\n"),
  get("a").replace("1.1", "1.0"),
  get("a").replace("1.1", "2.0"),
  get("a").replace("GET", "HEAD"),
  get("a").replace("GET", "get"),
  get("a").replace("GET /", "GET  /"),
  get("a").replace("/v2", "http://a/v2"),
  get("a").replace("/v2/keys/a", "/version"),
  get("a").replace("GET", "CONNECT"),
  put("value=x", HOST, 5),
  put("value=x", HOST, 9),
  put("value=x", HOST, "+7"),
  put("value=x", HOST, "07"),
  put("value=x", HOST, "7, 7"),
  put("value=x", `${HOST}Content-Length: 7\r\n`),
  put("value=x", `${HOST}Transfer-Encoding: chunked\r\n`),
  put("value=x", `${HOST}Expect: 100-continue\r\n`),
  put("value=x", `${HOST}Expect: else\r\n`),
  put("v".repeat(40_000)),
  "PUT /v2/keys/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
  "\r\n",
  "GET",
  "",
];

const titled = (request: string) => [request.slice(0, 80), request] as const;

it("answers as node:http does, wherever the bytes are split", async () => {
  for (const request of [
    get("a"),
    get("slow-pieces"),
    put("value=\xc3\xa9"),
    get("a") + get("b"),
  ]) {
    const whole = await same(request);
    expect(whole).toContain("HTTP/1.1 200 OK");
    for (let at = 1; at < request.length; at++) {
      expect(await same(request.slice(0, at), request.slice(at))).toBe(whole);
    }
  }
});

it.each(PLAIN)(
  "answers %j as node:http does, before and after another request",
  async (request) => {
    const one = await same(request);
    const more = await same(request, get("slow"), request, get("b"));
    expect(one).toMatch(/^(?:HTTP\/1\.1 [245]|$)/);
    expect(more.startsWith(one)).toBe(true);
  },
);

it.each(UNUSUAL.map(titled))(
  "leaves %j to node:http, also while a request is in progress",
  async (_, request) => {
    await same(request);
    await same(get("a"), request, get("b"));
    await same(get("slow"), request, get("b"));
    await same(get("slow"), request);
  },
);

it("leaves all requests to node:http while somebody subscribes to its requests", async () => {
  const [own] = servers;
  if (own === undefined) throw new Error("no server");
  let seen = 0;
  const count = () => seen++;
  await answer(own, [get("a")]);
  subscribe("http.server.request.start", count);
  await answer(own, [get("a")]);
  unsubscribe("http.server.request.start", count);
  await answer(own, [get("a")]);
  expect(seen).toBe(1);
});

it("answers all other bytes as node:http does", { timeout: 300_000 }, async () => {
  // Behind a poll, the rest of a body is not read, and then neither is the end of the connection.
  const fragment = constantFrom(...PLAIN.filter((text) => !text.includes("wait")), ...UNUSUAL);
  const change = tuple(nat(200), nat(2), string({ maxLength: 2 }));
  const property = asyncProperty(
    array(fragment, { minLength: 1, maxLength: 3 }),
    change,
    nat(400),
    nat(400),
    async (fragments, [at, removed, added], first, second) => {
      const bytes = fragments.join("");
      const changed = bytes.slice(0, at) + added + bytes.slice(at + removed);
      const [from, to] = first < second ? [first, second] : [second, first];
      await same(...fragments);
      await same(changed.slice(0, from), changed.slice(from, to), changed.slice(to));
    },
  );
  await assert(property, { numRuns: 150 });
});
