import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { expect, test } from "vitest";
import { randomFrom } from "../../../test/support/random-from.js";
import { SEED } from "../../../test/support/seed.js";
import { systemClock } from "../../time/clock.js";
import type { HttpRequest, HttpResponse } from "../../wire/http.js";
import { Exchange } from "../exchange/exchange.js";
import { STATIC_TABLE } from "./hpack/static-table.js";
import { Http2Connection } from "./http2-connection.js";

/** Requests and responses of one connection. */
const CALLS = 60;
const TIMEOUT_MS = 60_000;
/** Node sends longer header blocks than that in several frames. */
const LONG = 20_000;

/** All characters that a field may have. */
const CHARACTERS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(
  (character) => /[\t\x20-\x7e\x80-\xff]/.test(character),
);
const NAME_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-._~!#$%&'*+^`|";

/** Random fields, many of which repeat. */
class Fields {
  readonly #random: () => number;
  readonly #known: (readonly [name: string, value: string])[] = [];

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  text(length: number, characters: ArrayLike<string>): string {
    const text = Array.from({ length }, () => characters[this.below(characters.length)]).join("");
    return text.replace(/^[ \t]|[ \t]$/g, "x");
  }

  /** Fields with different names. */
  next(): readonly (readonly [name: string, value: string])[] {
    const fields = new Map<string, string>();
    for (let rest = this.below(8); rest > 0; rest--) {
      const known = this.#known[this.below(2 * this.#known.length)];
      const [name, value] = known ?? this.#fresh();
      fields.set(name, value);
    }
    if (this.below(20) === 0) fields.set("x-long", this.text(LONG, CHARACTERS));
    return [...fields];
  }

  #fresh(): readonly [name: string, value: string] {
    const name = `x${this.text(this.below(30), NAME_CHARACTERS)}`;
    const length = [0, 1, 20, 126, 127, 128, 1_000][this.below(7)] ?? 0;
    // Node uses Huffman codes where they are shorter: for most of the second kind.
    const value =
      this.below(2) === 0
        ? this.text(length, CHARACTERS)
        : this.text(length, "01/ae") + this.text(Math.ceil(length / 20), CHARACTERS);
    const field = [name, value] as const;
    this.#known.push(field);
    return field;
  }
}

test.each([0, 100, 4_096, 65_536])(
  "Node's server with a table of %i bytes and the client understand each other",
  async (headerTableSize) => {
    const fields = new Fields(SEED + headerTableSize);
    const received: string[][] = [];
    const responses: (readonly (readonly [string, string])[])[] = [];
    const server = createServer({
      settings: { headerTableSize, maxHeaderListSize: 2 ** 20 },
      maxHeaderListPairs: 1_000,
    });
    server.on(
      "stream",
      (stream: ServerHttp2Stream, _headers: object, _flags: number, raw: string[]) => {
        received.push(raw);
        if (received.length % 10 === 0) {
          const size = [0, 50, 1_000, 4_096, 20_000][fields.below(5)] ?? 0;
          stream.session?.settings({ headerTableSize: size });
        }
        const [head, body] = [fields.next(), fields.text(fields.below(2_000), "body")];
        responses.push([...head, ["body", body]]);
        stream.respond({ ":status": 200, ...Object.fromEntries(head) }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "x-end": body.slice(0, 5) }));
        stream.end(body);
      },
    );
    const { connection, origin } = await connectionTo(server);
    for (let call = 0; call < CALLS; call++) {
      const sent = fields.next();
      const path = `/${fields.text(fields.below(50), NAME_CHARACTERS)}`;
      const { headers, body } = await answerOf(connection, origin, path, sent);
      const [head, expected] = [responses[call]?.slice(0, -1), responses[call]?.at(-1)];
      expect(body).toBe(expected?.[1]);
      const { date: _date, ...others } = headers;
      expect(others).toEqual(Object.fromEntries(head ?? []));
      expect(received[call]).toEqual([
        ...[":method", "GET", ":scheme", "http", ":path", path, ":authority", origin.host],
        ...sent.flat(),
      ]);
    }
    connection.destroy();
    server.close();
  },
);

test("the static table is that of Node", async () => {
  const responses = [200, 204, 206, 304, 400, 404, 500];
  const fields = STATIC_TABLE.filter(
    ({ name }) => !/^:|^(content-length|host|transfer-encoding)$/.test(name),
  ).map(({ name, value }) => [name, value === "" ? "x" : value] as const);
  let received: string[] = [];
  const server = createServer().on(
    "stream",
    (stream: ServerHttp2Stream, _headers: object, _flags: number, raw: string[]) => {
      received = raw;
      stream.respond({ ":status": responses[0], ...Object.fromEntries(fields) });
      stream.end();
    },
  );
  const { connection, origin } = await connectionTo(server);
  for (const status of [...responses]) {
    const path = status === 200 ? "/index.html" : "/";
    const { headers, ...response } = await answerOf(connection, origin, path, fields);
    expect(response.status).toBe(status);
    expect(headers).toMatchObject(Object.fromEntries(fields));
    expect(received).toEqual([
      ...[":method", "GET", ":scheme", "http", ":path", path, ":authority", origin.host],
      ...fields.flat(),
    ]);
    responses.shift();
  }
  connection.destroy();
  server.close();
});

async function connectionTo(
  server: Http2Server,
): Promise<{ readonly connection: Http2Connection; readonly origin: URL }> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const origin = new URL(`http://127.0.0.1:${port}`);
  const connection = new Http2Connection(
    origin,
    connect(port, "127.0.0.1"),
    { timeout: TIMEOUT_MS, clock: systemClock, keepAlive: TIMEOUT_MS, carries: "calls" },
    () => {},
  );
  await connection.ready;
  return { connection, origin };
}

async function answerOf(
  connection: Http2Connection,
  { origin }: URL,
  path: string,
  fields: readonly (readonly [name: string, value: string])[],
): Promise<HttpResponse> {
  const request: HttpRequest = {
    method: "GET",
    path,
    safety: "read",
    scope: "local",
    operation: "GET",
  };
  const exchange = new Exchange(
    {
      request,
      endpoint: origin,
      limits: { timeout: TIMEOUT_MS },
      streams: false,
      hops: 0,
      startedAt: 0,
    },
    { maxResponseSize: 1e6, clock: systemClock },
  );
  expect(connection.start(exchange, fields.flat())).toBe(true);
  return (await exchange.response) as HttpResponse;
}
