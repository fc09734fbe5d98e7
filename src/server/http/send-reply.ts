import type { ServerResponse } from "node:http";
import { AbortError } from "../../errors/abort-error.js";
import { FREE_BYTES, type HeldBytes, type MemoryBudget } from "./memory-budget.js";
import type { PiecedBody, ServerReply } from "./message.js";

/** etcd announces the length of small bodies and sends larger ones in chunks. */
const SMALL_BODY = 2048;

/** Characters that are given to a connection at once, so that a client that does not read is noticed. */
const SLICE_CHARS = 256 * 1024;

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
  const held = heldFor(response, budget);
  return sendText(body, response, (bytes) => held.set(bytes)).then(() => {
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
  pieces: PiecedBody,
  response: ServerResponse,
  budget: MemoryBudget,
): Promise<void> {
  const held = heldFor(response, budget);
  const hold = (bytes: number): void => held.set(bytes + (pieces.heldBytes ?? 0));
  // Before the first piece: what there is no room for is not encoded.
  hold(0);
  try {
    if (!response.destroyed) {
      for await (const piece of pieces) {
        if (piece.length >= FREE_BYTES) await sendText(piece, response, hold);
        else if (!response.write(piece)) await drained(response);
        if (response.destroyed) return;
      }
    }
  } catch (error) {
    if (!(error instanceof AbortError)) throw error;
  }
  response.end();
}

/** Slice by slice: as bytes, the whole text would be in memory twice. */
async function sendText(
  text: string,
  response: ServerResponse,
  hold: (bytes: number) => void,
): Promise<void> {
  let left = Buffer.byteLength(text);
  for (let at = 0; at < text.length && !response.destroyed; ) {
    hold(left);
    const end = sliceEnd(text, at);
    const slice = Buffer.from(text.slice(at, end));
    at = end;
    left -= slice.length;
    if (!response.write(slice)) await drained(response);
  }
  hold(0);
}

/** Not between the two halves of a character. */
function sliceEnd(text: string, start: number): number {
  const end = start + SLICE_CHARS;
  const isHalf = end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff;
  return isHalf ? end + 1 : end;
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
