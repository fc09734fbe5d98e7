import type { ServerRequest } from "./message.js";

/** A complete request whose bytes leave no doubt. */
export interface ParsedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderBlock;
  /** One character for each byte. */
  readonly body: string;
}

/** Headers, and the text that they were read from. */
export interface HeaderBlock {
  readonly text: string;
  readonly values: ServerRequest["headers"];
  /** Bytes of the body. */
  readonly length: number;
}

/** Limits of the requests that are read here. Larger ones are left to `node:http`. */
export interface ParserLimits {
  readonly maxHeaderSize: number;
  readonly maxBodySize: number;
}

const REQUEST_LINE =
  /^(GET|PUT|POST|DELETE) \/v2\/keys(?:[/?][\w\-.~!$&'()*+,;=:@%/?]*)? HTTP\/1\.1\r\n/;
const HEADER = /^([A-Za-z-]+): ?([!-~](?:[ -~]*[!-~])?)$/;
const LENGTH = /^(?:0|[1-9]\d{0,5})$/;
const END = "\r\n\r\n";

/**
 * The headers that are known here. None of them changes where a request ends, except for `content-length`, or whether the
 * connection stays open, except for `connection`.
 */
const NAMES: ReadonlySet<string> = new Set([
  ...["host", "connection", "content-length", "content-type", "authorization", "user-agent"],
  ...["accept", "accept-encoding", "accept-language", "cache-control", "pragma", "referer"],
  ...["origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "traceparent", "tracestate"],
  ...["x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"],
]);

/**
 * Reads a request for keys. `undefined`: the bytes are not exactly one complete request, or something about them is unusual.
 * It accepts less than `node:http` accepts, and nothing else.
 *
 * @param before headers of an earlier request of the connection, which most requests repeat
 */
export function parseRequest(
  bytes: Buffer,
  limits: ParserLimits,
  before: HeaderBlock | undefined,
): ParsedRequest | undefined {
  const text = bytes.toString("latin1");
  const end = text.indexOf(END);
  if (end === -1 || end + END.length > limits.maxHeaderSize) return undefined;
  const [line, method] = REQUEST_LINE.exec(text) ?? [];
  if (line === undefined || method === undefined || line.length > end) return undefined;
  const headers = readHeaders(text.slice(line.length, end), before);
  if (headers === undefined || headers.length > limits.maxBodySize) return undefined;
  const start = end + END.length;
  if (headers.length > 0 && (method === "GET" || method === "DELETE")) return undefined;
  if (bytes.length !== start + headers.length) return undefined;
  // Not parts of the text, which would stay in memory with a stored key.
  const target = bytes.toString("latin1", method.length + 1, line.length - " HTTP/1.1\r\n".length);
  const body = headers.length === 0 ? "" : bytes.toString("latin1", start);
  return { method, target, headers, body };
}

function readHeaders(text: string, before: HeaderBlock | undefined): HeaderBlock | undefined {
  if (before !== undefined && text === before.text) return before;
  // Copied, because it stays in memory.
  const copy = Buffer.from(text, "latin1").toString("latin1");
  const values: Record<string, string> = {};
  for (const line of copy.split("\r\n")) {
    const [, sent, value] = HEADER.exec(line) ?? [];
    if (sent === undefined || value === undefined) return undefined;
    const name = sent.toLowerCase();
    if (!NAMES.has(name) || Object.hasOwn(values, name)) return undefined;
    values[name] = value;
  }
  const { host, connection = "keep-alive", "content-length": length = "0" } = values;
  if (host === undefined || connection.toLowerCase() !== "keep-alive") return undefined;
  return LENGTH.test(length) ? { text: copy, values, length: Number(length) } : undefined;
}
