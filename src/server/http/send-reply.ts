import type { Socket } from "node:net";
import { AbortError } from "../../errors/abort-error.js";
import { type MemoryBudget, type MemoryReservation, MIN_COUNTED_BYTES } from "./memory-budget.js";
import type { PiecedBody, ServerReply } from "./message.js";

/** etcd sends `Content-Length` with bodies up to this size, and larger ones in chunks. */
const MAX_UNCHUNKED_BYTES = 2048;

/** Characters per write. Short writes show whether the client still reads. */
const SLICE_CHARS = 256 * 1024;

/** Where a response is written: a response of `node:http`, or one that does not need it. */
export interface ReplyTarget {
  readonly req: {
    readonly socket: Socket;
    readonly method?: string | undefined;
    readonly httpVersion: string;
  };
  readonly shouldKeepAlive: boolean;
  readonly statusCode: number;
  readonly destroyed: boolean;
  readonly writableFinished: boolean;
  removeHeader(name: string): void;
  writeHead(status: number, headers: string[]): unknown;
  flushHeaders(): void;
  /** Returns `false` if the caller should wait for "drain". */
  write(piece: string | Uint8Array): boolean;
  end(piece?: string): unknown;
  destroy(): unknown;
  on(event: "drain" | "close", listener: () => void): unknown;
  once(event: "drain" | "close", listener: () => void): unknown;
  off(event: "drain" | "close", listener: () => void): unknown;
}

/**
 * Sends a response. Bytes that the client has not read yet count in the budget. The connection of a client that
 * stalls while memory is short is closed. This is not an async function, which would keep the text in
 * memory in addition to its bytes.
 */
export function sendReply(
  { status, headers, body }: ServerReply,
  response: ReplyTarget,
  budget: MemoryBudget,
): Promise<void> | undefined {
  // It would never release what it counts.
  if (response.destroyed) return typeof body === "string" ? undefined : discard(body);
  const { method, httpVersion } = response.req;
  // etcd sends no `Connection` header for the default of the HTTP version.
  if (response.shouldKeepAlive === (httpVersion === "1.1")) response.removeHeader("Connection");
  if (typeof body !== "string") {
    response.writeHead(status, [...headers]);
    response.flushHeaders();
    return sendPieces(body, response, budget);
  }
  const length = Buffer.byteLength(body);
  const hasLength = length <= MAX_UNCHUNKED_BYTES && (length > 0 || method !== "HEAD");
  response.writeHead(
    status,
    hasLength ? [...headers, "Content-Length", String(length)] : [...headers],
  );
  if (length < MIN_COUNTED_BYTES || method === "HEAD") {
    response.end(body);
    return undefined;
  }
  const reservation = reservationFor(response, budget);
  return sendText(body, response, (bytes) => reservation.set(bytes)).then(() => {
    response.end();
  });
}

function reservationFor(response: ReplyTarget, budget: MemoryBudget): MemoryReservation {
  const reservation = budget.reserve(() => response.destroy());
  response.once("close", () => reservation.release());
  return reservation;
}

/** Ends pieces that nobody reads: a watch must not go on without its client. */
async function discard(pieces: PiecedBody): Promise<void> {
  await pieces[Symbol.asyncIterator]().return?.();
}

/** Sends all pieces. Those of a watch also end when the client disconnects or the server stops. */
async function sendPieces(
  pieces: PiecedBody,
  response: ReplyTarget,
  budget: MemoryBudget,
): Promise<void> {
  const reservation = reservationFor(response, budget);
  const count = (bytes: number): void => reservation.set(bytes + (pieces.heldBytes ?? 0));
  // Counts before the first piece, so that nothing is encoded without memory for it.
  count(0);
  try {
    if (!response.destroyed) {
      for await (const piece of pieces) {
        if (piece.length >= MIN_COUNTED_BYTES) await sendText(piece, response, count);
        else if (!response.write(piece)) await drained(response);
        if (response.destroyed) return;
      }
    }
  } catch (error) {
    if (!(error instanceof AbortError)) throw error;
  }
  response.end();
}

/** Sends a text in slices: otherwise the complete text would also be in memory as bytes. */
async function sendText(
  text: string,
  response: ReplyTarget,
  count: (bytes: number) => void,
): Promise<void> {
  let left = Buffer.byteLength(text);
  for (let at = 0; at < text.length && !response.destroyed; ) {
    count(left);
    const end = sliceEnd(text, at);
    const slice = Buffer.from(text.slice(at, end));
    at = end;
    left -= slice.length;
    if (!response.write(slice)) await drained(response);
  }
  count(0);
}

/** Does not split a surrogate pair. */
function sliceEnd(text: string, start: number): number {
  const end = start + SLICE_CHARS;
  const isHalf = end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff;
  return isHalf ? end + 1 : end;
}

function drained(response: ReplyTarget): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
}
