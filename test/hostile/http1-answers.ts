/** Random responses over HTTP/1. */

import { ETCD_HEADERS, GOOD_GET, GOOD_SET } from "../odd-server.js";
import { type Answer, damaged } from "./delivery.js";
import type { Random } from "./random.js";

type Fields = [name: string, value: string][];

/** A response to a request with this first line. */
export function answerHttp1(random: Random, hostility: number, line: string): Answer {
  const good = wellFormed(random, line);
  if (!random.chance(hostility)) return good;
  const odd = random.chance(0.75) ? malformed(random, line) : good;
  return random.chance(0.35) ? damaged(random, odd) : odd;
}

function wellFormed(random: Random, line: string): Answer {
  const body = bodyOf(random, line);
  const isStream = /wait=true|\/v3\/watch/.test(line);
  const fields = Object.entries(ETCD_HEADERS) as Fields;
  const head = (...more: Fields) => headOf("HTTP/1.1 200 OK", [...fields, ...more]);
  if (!isStream && random.chance(0.7)) {
    return { bytes: Buffer.from(head(["content-length", `${body.length}`]) + body), after: "stay" };
  }
  const chunks = head(["transfer-encoding", "chunked"]) + chunkOf(body);
  const isOver = !isStream || random.chance(0.3);
  return { bytes: Buffer.from(isOver ? `${chunks}0\r\n\r\n` : chunks), after: "stay" };
}

function malformed(random: Random, line: string): Answer {
  const status = statusLine(random);
  const body = random.chance(0.6) ? bodyOf(random, line) : oddBody(random);
  const fields = oddFields(random);
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

function oddFields(random: Random): Fields {
  const fields: Fields = [];
  for (const [name, value] of Object.entries(ETCD_HEADERS)) {
    if (random.chance(0.95))
      fields.push([name, random.chance(0.9) ? value : random.pick("", "x", "-1", "9".repeat(30))]);
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

/** A body that fits the request, more or less. */
function bodyOf(random: Random, line: string): string {
  const lines = random.pick(1, 1, 3, 200);
  if (line.includes("/v3/watch")) {
    const created = '{"result":{"header":{"cluster_id":"1","revision":"5"},"created":true}}\n';
    return created + '{"result":{"header":{"cluster_id":"1","revision":"6"}}}\n'.repeat(lines);
  }
  if (line.includes("/v3/"))
    return '{"header":{"cluster_id":"1","member_id":"2","revision":"5","raft_term":"2"}}';
  if (line.includes("wait=true")) return GOOD_SET.repeat(lines);
  if (line.includes("/v2/keys")) return line.startsWith("GET") ? GOOD_GET : GOOD_SET;
  if (line.includes("/version")) return '{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}';
  if (line.includes("/v2/members")) return '{"members":[]}';
  return "{}";
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

function headOf(status: string, fields: Fields): string {
  return `${status}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

function chunkOf(text: string): string {
  const length = Buffer.byteLength(text);
  return length === 0 ? "" : `${length.toString(16)}\r\n${text}\r\n`;
}
