/** Asks etcd for the true response to a request over HTTP/1. */

import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import type { Truth } from "./http1-lies.js";

/** A request to a hostile server. */
export interface Http1Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Milliseconds after which the rest of a stream is left out. */
const STREAM_MS = 30;

const agent = new Agent({ keepAlive: true });

/** The response of etcd to a request. Without etcd's response, one that contains nothing. */
export async function truthOf(
  etcd: URL,
  { method, path, headers, body }: Http1Request,
): Promise<Truth> {
  const isStream = /[?&]wait=true|\/v3\/watch/.test(path);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const contentType = headers["content-type"] ?? "text/plain";
      const outgoing = request(new URL(path, etcd), {
        ...{
          method,
          agent,
          headers: { "content-type": contentType, "content-length": Buffer.byteLength(body) },
        },
      });
      outgoing.on("response", resolve).on("error", reject).end(body);
    });
    return await read(response, isStream);
  } catch {
    return { status: 502, fields: [], body: "", isStream: false };
  }
}

async function read(response: IncomingMessage, isStream: boolean): Promise<Truth> {
  const { statusCode: status = 0, headers } = response;
  let body = "";
  response.setEncoding("utf8").on("data", (text: string) => {
    body += text;
  });
  const ended = new Promise<boolean>((resolve) => {
    response.on("end", () => resolve(true)).on("close", () => resolve(true));
  });
  const isOver = isStream ? await Promise.race([ended, setTimeout(STREAM_MS, false)]) : await ended;
  if (!isOver) response.destroy();
  const fields = Object.entries(headers)
    .filter(([name]) => !["content-length", "transfer-encoding", "connection"].includes(name))
    .map(([name, value]) => [name, String(value)] as const);
  return { status, fields, body, isStream: isStream && !isOver };
}
