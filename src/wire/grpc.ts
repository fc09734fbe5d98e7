/** What gRPC adds to HTTP/2: a frame around each message, and a status at the end. */

import { ProtocolError } from "../errors/cluster-errors.js";
import type { HttpHeaders, HttpReplyHead } from "./http.js";

/** Content type of requests; replies may say more precisely what they hold. */
export const GRPC_TYPE = "application/grpc";

/** Whether a reply is in gRPC's form. */
export function isGrpc(headers: HttpHeaders): boolean {
  const type = headers["content-type"];
  return typeof type === "string" && type.startsWith(GRPC_TYPE);
}

/** Bytes of a frame before its message: whether that is compressed, and its length. */
export const FRAME_HEAD = 5;

/** A message in its frame. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, FRAME_HEAD);
  return frame;
}

/** The length that the head of a frame tells. @throws ProtocolError for a compressed message */
export function messageLength(head: Buffer): number {
  if (head[0] === 0) return head.readUInt32BE(1);
  throw new ProtocolError("the answer of gRPC is compressed, which nobody asked for");
}

/** The message of a body that is one frame. @throws ProtocolError */
export function unframed(body: Buffer): Buffer {
  if (body.length < FRAME_HEAD || body.length !== FRAME_HEAD + messageLength(body)) {
    throw new ProtocolError("the answer of gRPC is not one whole message");
  }
  return body.subarray(FRAME_HEAD);
}

/** gRPC's code for an error that has none of its own: what is no number certainly means no success. */
const UNKNOWN = 2;

/** How a call of gRPC ended. */
export interface GrpcStatus {
  /** 0 for success. */
  readonly code: number;
  readonly message: string;
}

/** The status in a reply's headers, trailers included; none in one that was cut off. */
export function grpcStatusOf({ headers }: HttpReplyHead): GrpcStatus | undefined {
  const { "grpc-status": status, "grpc-message": message } = headers;
  if (typeof status !== "string") return undefined;
  const code = /^\d+$/.test(status) ? Number(status) : UNKNOWN;
  return { code, message: typeof message === "string" ? decoded(message) : "" };
}

/** Adds the status that trailers tell to a reply's headers. */
export function takeGrpcStatus(headers: Record<string, unknown>, trailers: HttpHeaders): void {
  headers["grpc-status"] = trailers["grpc-status"];
  headers["grpc-message"] = trailers["grpc-message"];
}

/** Messages are percent-encoded, but not by everybody. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
