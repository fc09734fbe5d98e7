/** What gRPC adds to HTTP/2: a frame around each message, and a status at the end. */

import { ProtocolError } from "../errors/cluster-errors.js";
import type { HttpHeaders, HttpResponseHead } from "./http.js";

/** Content type of requests. Responses may add a suffix. */
export const GRPC_TYPE = "application/grpc";

/** Whether a response uses gRPC. */
export function isGrpc(headers: HttpHeaders): boolean {
  const type = headers["content-type"];
  return typeof type === "string" && type.startsWith(GRPC_TYPE);
}

/** Bytes before the message in a frame: the compression flag and the length. */
export const FRAME_HEAD_BYTES = 5;

/** Frames a message. */
export function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, FRAME_HEAD_BYTES);
  return frame;
}

/** Reads the length of a message. @throws ProtocolError if the message is compressed */
export function messageLength(head: Buffer): number {
  if (head[0] === 0) return head.readUInt32BE(1);
  throw new ProtocolError(
    "the gRPC response is compressed, although the request does not accept compression",
  );
}

/** Returns the message of a body with exactly one frame. @throws ProtocolError */
export function unframed(body: Buffer): Buffer {
  if (body.length < FRAME_HEAD_BYTES || body.length !== FRAME_HEAD_BYTES + messageLength(body)) {
    throw new ProtocolError("the gRPC response is not exactly one message");
  }
  return body.subarray(FRAME_HEAD_BYTES);
}

/** gRPC's code UNKNOWN, for a status that is not a number and so certainly not a success. */
const UNKNOWN = 2;

/** The status of a gRPC call. */
export interface GrpcStatus {
  /** 0 for success. */
  readonly code: number;
  readonly message: string;
}

/** Whether {@link grpcStatusOf} is a success. */
export function isGrpcSuccess(response: HttpResponseHead): boolean {
  return response.headers["grpc-status"] === "0" || grpcStatusOf(response)?.code === 0;
}

/** The status in headers or trailers. `undefined` if the response was cut off before it. */
export function grpcStatusOf({ headers }: HttpResponseHead): GrpcStatus | undefined {
  const { "grpc-status": status, "grpc-message": message } = headers;
  if (typeof status !== "string") return undefined;
  const code = /^\d+$/.test(status) ? Number(status) : UNKNOWN;
  return { code, message: typeof message === "string" ? decoded(message) : "" };
}

/** Copies the status from the trailers to a response's headers. */
export function takeGrpcStatus(headers: Record<string, unknown>, trailers: HttpHeaders): void {
  headers["grpc-status"] = trailers["grpc-status"];
  headers["grpc-message"] = trailers["grpc-message"];
}

/** Decodes a percent-encoded message. Some servers do not encode it. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
