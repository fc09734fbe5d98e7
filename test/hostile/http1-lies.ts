/** Random responses over HTTP/1, made from true ones. */

import { type Answer, damaged } from "./delivery.js";
import { ERROR_BODIES } from "./error-bodies.js";
import { jsonLie } from "./json-lies.js";
import type { Random } from "./random.js";

export type Fields = readonly (readonly [name: string, value: string])[];

/** The response of etcd. */
export interface Truth {
  readonly status: number;
  readonly fields: Fields;
  readonly body: string;
  /** Whether more may follow: a watch. */
  readonly isStream: boolean;
}

/** The response, or a lie with the probability `hostility`. */
export function answerHttp1(random: Random, hostility: number, truth: Truth): Answer {
  if (!random.chance(hostility)) return wellFormed(random, truth);
  const kind = random.next();
  if (kind < 0.45) return wellFormed(random, otherContent(random, truth));
  if (kind < 0.6) return wellFormed(random, otherError(random, truth));
  if (kind < 0.65) return { bytes: Buffer.alloc(0), after: "stay" };
  const odd = kind < 0.9 ? malformed(random, truth) : wellFormed(random, truth);
  return random.chance(0.35) ? damaged(random, odd) : odd;
}

/** Other values in the body and in the headers. */
function otherContent(random: Random, truth: Truth): Truth {
  const body = truth.body
    .split("\n")
    .map((line) => (line === "" ? "" : jsonLie(random, line)))
    .join("\n");
  const fields = random.chance(0.4) ? oddFields(random, truth.fields) : truth.fields;
  return { ...truth, body, fields };
}

function otherError(random: Random, truth: Truth): Truth {
  const { status, body } = random.pick(...ERROR_BODIES);
  return {
    ...truth,
    status,
    body: random.chance(0.3) ? jsonLie(random, body) : body,
    isStream: false,
  };
}

function wellFormed(random: Random, { status, fields, body, isStream }: Truth): Answer {
  const head = (...more: Fields) => headOf(`HTTP/1.1 ${status} OK`, [...fields, ...more]);
  if (!isStream && random.chance(0.7)) {
    const length = `${Buffer.byteLength(body)}`;
    return { bytes: Buffer.from(head(["content-length", length]) + body), after: "stay" };
  }
  const chunks = head(["transfer-encoding", "chunked"]) + chunkOf(body);
  const isOver = !isStream || random.chance(0.2);
  return { bytes: Buffer.from(isOver ? `${chunks}0\r\n\r\n` : chunks), after: "stay" };
}

function malformed(random: Random, truth: Truth): Answer {
  const status = statusLine(random);
  const body = random.chance(0.6) ? truth.body : oddBody(random);
  const fields = oddFields(random, truth.fields);
  const informational = random.chance(0.1)
    ? headOf(random.pick("HTTP/1.1 103 Early Hints", "HTTP/1.1 100 Continue", "HTTP/1.1 102 "), [
        ["link", "</a>"],
      ]).repeat(random.pick(1, 3, 5_000))
    : "";
  const before = (framing: Fields) => informational + headOf(status, [...fields, ...framing]);
  const after = random.pick<Answer["after"]>("stay", "stay", "end", "reset", "half-close");
  const more = random.chance(0.15) ? random.pick("garbage", "\r\n", "\0", secondAnswer()) : "";
  switch (random.integer(0, 5)) {
    case 0: {
      const length = random.pick<unknown>(
        body.length,
        body.length + 5,
        body.length - 1,
        -1,
        "1e3",
        2 ** 53,
        "",
      );
      return { bytes: Buffer.from(before([["content-length", `${length}`]]) + body + more), after };
    }
    case 1: {
      const { chunks, endlessly } = oddChunks(random, body);
      const head = before([
        ["transfer-encoding", random.pick("chunked", "chunked", "gzip, chunked", "identity")],
      ]);
      return { bytes: Buffer.from(head + chunks + more), endlessly, after };
    }
    case 2:
      return {
        bytes: Buffer.from(before([])),
        endlessly: Buffer.from(random.pick("x", "\n", "{}\n", '{"a":').repeat(10_000)),
        after,
      };
    default:
      // Without a length, it ends with the connection.
      return { bytes: Buffer.from(before([]) + body), after };
  }
}

function statusLine(random: Random): string {
  const code = random.pick(
    200,
    200,
    200,
    200,
    201,
    204,
    304,
    307,
    301,
    400,
    401,
    404,
    405,
    412,
    426,
    500,
    503,
    999,
  );
  const odd = () =>
    random.pick(
      "HTTP/1.1 101 Switching Protocols",
      "HTTP/1.1 20",
      "HTTP/2.0 200 OK",
      "220 smtp",
      "",
    );
  if (random.chance(0.1)) return odd();
  return `${random.pick("HTTP/1.1", "HTTP/1.1", "HTTP/1.0")} ${code} ${random.pick("OK", "", "é")}`;
}

/** Values of `X-Etcd-Index` and others. */
const ODD_HEADER_VALUES = [
  "",
  "x",
  "-1",
  "0",
  "1",
  "1e3",
  "1.5",
  "NaN",
  "9007199254740991",
  "9007199254740992",
  "9".repeat(30),
] as const;

function oddFields(random: Random, given: Fields): Fields {
  const fields: (readonly [string, string])[] = [];
  for (const [name, value] of given) {
    if (random.chance(0.05)) continue;
    const isOdd = random.chance(0.2);
    fields.push([name, isOdd ? random.pick(...ODD_HEADER_VALUES) : value]);
  }
  const odd = (): [string, string] =>
    random.pick(
      ["connection", "close"],
      ["connection", "keep-alive"],
      ["connection", "upgrade"],
      [
        "keep-alive",
        random.pick(
          "timeout=0",
          "timeout=NaN",
          "timeout=1e99",
          `timeout=${"9".repeat(400)}`,
          "timeout=1",
        ),
      ],
      ["upgrade", "h2c"],
      [
        "location",
        random.pick(
          "/",
          "http://127.0.0.1:1/",
          "//",
          "http://[",
          "/v2/keys/a?wait=true",
          "ftp://a/",
        ),
      ],
      ["trailer", "x-etcd-index"],
      ["set-cookie", "a=b"],
      ["x-large", "x".repeat(random.pick(10, 1_000, 20_000))],
      ["content-encoding", "gzip"],
      ["content-type", random.pick("text/html", "application/grpc", "")],
      ["www-authenticate", "Basic"],
    );
  for (let count = random.integer(0, 3); count > 0; count--) fields.push(odd());
  if (random.chance(0.03)) for (let i = 0; i < 3_000; i++) fields.push(["a", ""]);
  return fields;
}

function oddBody(random: Random): string {
  return random.pick(
    "",
    "null",
    "\n",
    "\n".repeat(70_000),
    "<!doctype html>",
    "[".repeat(5_000),
    `{"action":"get","node":{"key":"/a","value":"${"x".repeat(60_000)}"}}`,
    '{"errorCode":100,"message":"Key not found","cause":"/a","index":7}',
    '{"errorCode":-1}',
    random.bytes(200).toString("latin1"),
  );
}

function oddChunks(random: Random, body: string): { chunks: string; endlessly?: Buffer } {
  const tiny = body.slice(0, 3_000).replace(/[\s\S]/g, (character) => chunkOf(character));
  const last = random.pick(
    "0\r\n\r\n",
    "0\r\n\r\n",
    "",
    "0\r\nx-etcd-index: 9\r\n\r\n",
    "0\r\n".concat("a: b\r\n".repeat(4_000)),
  );
  const endless = (text: string) => ({ chunks: tiny, endlessly: Buffer.from(text) });
  return random.pick<() => { chunks: string; endlessly?: Buffer }>(
    () => ({ chunks: tiny + last }),
    () => ({ chunks: chunkOf(body) + last }),
    () => ({ chunks: `${chunkOf(body)}zz\r\n${body}` }),
    () => ({ chunks: `-1\r\n${body}\r\n${last}` }),
    () => ({ chunks: `${"f".repeat(20)}\r\n${body}` }),
    () => ({ chunks: `1;${"e".repeat(30_000)}\r\nx\r\n${last}` }),
    () => endless("1\r\nx\r\n".repeat(10_000)),
    () => endless("1\r\n\n\r\n".repeat(10_000)),
    () => endless(`1;${"e".repeat(60_000)}\r\nx\r\n`),
  )();
}

function secondAnswer(): string {
  return `${headOf("HTTP/1.1 200 OK", [["content-length", "2"]])}{}`;
}

export function headOf(status: string, fields: Fields): string {
  return `${status}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

export function chunkOf(text: string): string {
  const length = Buffer.byteLength(text);
  return length === 0 ? "" : `${length.toString(16)}\r\n${text}\r\n`;
}
