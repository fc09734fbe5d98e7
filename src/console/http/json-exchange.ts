import type { IncomingMessage, ServerResponse } from "node:http";
import type { Failure } from "../model/page-types.js";

/** Larger than etcd's largest request, also when each character is escaped. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** A request that cannot be carried out. */
export class ConsoleError extends Error {
  override readonly name = "ConsoleError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Reads an object. @throws ConsoleError */
export async function readJson(
  request: IncomingMessage,
): Promise<Readonly<Record<string, unknown>>> {
  // Pages of other origins cannot send this type without asking first.
  if (request.headers["content-type"]?.split(";")[0] !== "application/json") {
    throw new ConsoleError(415, "the body must be application/json");
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new ConsoleError(413, "the body is too large");
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (typeof value === "object" && value !== null) return { ...value };
  } catch {}
  throw new ConsoleError(400, "the body must be a JSON object");
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
  });
  response.end(JSON.stringify(value));
}

/** A text of the request. @throws ConsoleError */
export function textIn(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value === "string") return value;
  throw new ConsoleError(400, `${name} must be a string`);
}

/** @throws ConsoleError */
export function optionalText(
  body: Readonly<Record<string, unknown>>,
  name: string,
): string | undefined {
  return body[name] === undefined ? undefined : textIn(body, name);
}

/** @throws ConsoleError */
export function optionalIndex(
  body: Readonly<Record<string, unknown>>,
  name: string,
): number | undefined {
  return body[name] === undefined ? undefined : indexIn(body, name);
}

/** @throws ConsoleError */
export function indexIn(body: Readonly<Record<string, unknown>>, name: string): number {
  const value = body[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw new ConsoleError(400, `${name} must be a positive whole number`);
}

/** The key of the request. @throws ConsoleError */
export function keyTextIn(body: Readonly<Record<string, unknown>>): string {
  return absoluteKey(textIn(body, "key"), "key");
}

/** A whole number of the query. @throws ConsoleError */
export function numberIn(query: URLSearchParams, name: string, absent: number): number {
  const text = query.get(name);
  if (text === null) return absent;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ConsoleError(400, `${name} must be a whole number`);
}

/** A key of the query. @throws ConsoleError */
export function keyIn(query: URLSearchParams, name = "key"): string {
  return absoluteKey(query.get(name) ?? "/", name);
}

function absoluteKey(key: string, name: string): string {
  if (key.startsWith("/")) return key;
  throw new ConsoleError(400, `${name} must begin with /`);
}

/** Messages of the library contain no credentials. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: "Error", message: String(error) };
}
