import type { ServerResponse } from "node:http";
import { AbortError } from "../errors/abort-error.js";
import { FREE_BYTES, type HeldBytes, type MemoryBudget } from "./memory-budget.js";
import type { ServerReply } from "./message.js";

/** etcd announces the length of small bodies and sends larger ones in chunks. */
const SMALL_BODY = 2048;

/** Bytes that are given to a connection at once, so that a client that does not read is noticed. */
const SLICE_BYTES = 256 * 1024;

/**
 * Sends a reply. What the client has not taken yet counts in the budget; a client that stalls while
 * room is needed loses its connection. No async function: that would hold the text beside its bytes.
 */
export function sendReply(
  { status, headers, body }: ServerReply,
  response: ServerResponse,
  budget: MemoryBudget,
): Promise<void> {
  const { method, httpVersion } = response.req;
  // etcd does not announce what the version of HTTP does by default.
  if (response.shouldKeepAlive === (httpVersion === "1.1")) response.removeHeader("Connection");
  if (typeof body !== "string") {
    response.writeHead(status, [...headers]).flushHeaders();
    return sendPieces(body, response, budget);
  }
  const length = Buffer.byteLength(body);
  const isSaid = length <= SMALL_BODY && (length > 0 || method !== "HEAD");
  response.writeHead(
    status,
    isSaid ? [...headers, "Content-Length", String(length)] : [...headers],
  );
  if (length < FREE_BYTES || method === "HEAD") {
    response.end(body);
    return Promise.resolve();
  }
  return sendBytes(Buffer.from(body), response, heldFor(response, budget)).then(() => {
    response.end();
  });
}

function heldFor(response: ServerResponse, budget: MemoryBudget): HeldBytes {
  const held = budget.hold(() => response.destroy());
  response.once("close", () => held.release());
  return held;
}

/** Until there are no more; those of a watch also end when the client leaves or the server does. */
async function sendPieces(
  pieces: AsyncIterable<string>,
  response: ServerResponse,
  budget: MemoryBudget,
): Promise<void> {
  const held = heldFor(response, budget);
  try {
    for await (const piece of pieces) {
      if (piece.length >= FREE_BYTES) await sendBytes(Buffer.from(piece), response, held);
      else if (!response.write(piece)) await drained(response);
      if (response.destroyed) return;
    }
  } catch (error) {
    if (!(error instanceof AbortError)) throw error;
  }
  response.end();
}

async function sendBytes(bytes: Buffer, response: ServerResponse, held: HeldBytes): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += SLICE_BYTES) {
    held.set(bytes.length - at);
    if (!response.write(bytes.subarray(at, at + SLICE_BYTES))) await drained(response);
  }
  held.set(0);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
