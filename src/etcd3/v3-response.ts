import { ProtocolError } from "../errors/cluster-errors.js";
import { errorDefinition, serverErrorOf } from "../errors/error-table.js";
import type { EtcdError } from "../errors/etcd-error.js";
import { V3DisabledError, V3RefusedError } from "../errors/v3-errors.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import { type GrpcStatus, grpcStatusOf, isGrpc, unframed } from "../wire/grpc.js";
import type { HttpResponse, HttpResponseHead } from "../wire/http.js";
import { decodeResponse, rejectedByStatus } from "../wire/http-response.js";
import { isObject, type JsonObject, readObject } from "../wire/json.js";
import { isNamedCertificateRefusal, isNotServed, retryClassOf } from "./error-messages.js";
import { fromJson } from "./json-form.js";
import type { MessageType } from "./protobuf/message-type.js";
import { RPC, type Rpc, type WatchResponse } from "./rpcs.js";
import { type HasHeader, type V3Call, V3Response } from "./v3-api.js";

/** The member rejected the token without processing the request. A new token may help. */
export class TokenRefused extends Error {
  /** The error to throw when a new token does not help. */
  override readonly cause: EtcdError;

  constructor(cause: EtcdError) {
    super(cause.message);
    this.cause = cause;
  }
}

/**
 * Decodes a response in either form, JSON or gRPC.
 *
 * @throws AttemptFailure, TokenRefused, V3RefusedError, UnauthorizedError
 */
export function decodeV3Response<Request, Response extends HasHeader>(
  rpc: Rpc<Request, Response>,
  call: V3Call,
  response: HttpResponse,
): V3Response<Response> {
  const { status, endpoint, grpcBody } = response;
  const failed = grpcBody === undefined ? status !== 200 : grpcStatusOf(response)?.code !== 0;
  if (failed) throw v3ErrorOf(call, response);
  const origin = `${call.operation} at ${endpoint}`;
  return decodeResponse(() => {
    const message =
      grpcBody === undefined
        ? readJson(rpc.response, readObject(response.body, JSON.parse, origin), origin)
        : readGrpc(rpc.response, unframed(grpcBody), origin);
    const decoded = new V3Response(message, endpoint);
    // Required here, because only here a missing header can make a write's outcome unknown.
    if (rpc.service === "KV") void decoded.header;
    return decoded;
  });
}

/** The error for a response that is not a success. */
export function v3ErrorOf(call: V3Call, response: HttpResponse): Error {
  const { operation } = call;
  const { status, body, endpoint, grpcBody } = response;
  const error = grpcStatusOf(response) ?? errorIn(body);
  if (error !== undefined) return grpcErrorOf(call, endpoint, error);
  if (isNotServed(status, body)) {
    return new AttemptFailure("no", new V3DisabledError(operation, [endpoint]));
  }
  if (isNamedCertificateRefusal(body)) {
    const what = `${operation} at ${endpoint}: ${NAMED_CERTIFICATE_ADVICE}`;
    return new AttemptFailure("no", new ProtocolError(what));
  }
  const what = grpcBody === undefined ? "not a response of etcd" : "without a gRPC status";
  return (
    rejectedByStatus(call, response) ??
    new AttemptFailure(
      "unknown",
      new ProtocolError(`${operation} at ${endpoint}: HTTP ${status}, ${what}`),
    )
  );
}

const NAMED_CERTIFICATE_ADVICE =
  "with v3 auth on, etcd accepts JSON only with a client certificate without a Common Name; " +
  "use such a certificate, or omit useProxy so that gRPC is used";

/** A gRPC status in the JSON gateway's form. */
function errorIn(body: string): GrpcStatus | undefined {
  try {
    return readGrpcError(JSON.parse(body));
  } catch {
    return undefined;
  }
}

/**
 * From an error response, or from `error` in a stream, where etcd 3.4 uses another name for the
 * code.
 */
function readGrpcError(value: unknown): GrpcStatus | undefined {
  if (!isObject(value) || typeof value.message !== "string") return undefined;
  const code = value.code ?? value.grpc_code;
  return typeof code === "number" ? { code, message: value.message } : undefined;
}

/** The error to throw for a gRPC status. */
function grpcErrorOf(call: V3Call, endpoint: string, { code, message }: GrpcStatus): Error {
  switch (retryClassOf(message, code)) {
    case "refused":
      return new V3RefusedError(call.operation, endpoint, code, message);
    case "unauthorized":
      return serverError(110, call, endpoint, message);
    case "token":
      return tokenRefused(call, endpoint, message);
    case "elsewhere":
      return new AttemptFailure("no", serverError(300, call, endpoint, message));
    case "unknown":
      return new AttemptFailure(
        "unknown",
        serverError(300, call, endpoint, message || `gRPC status ${code}`),
      );
  }
}

/** @param detail etcd's message */
export function tokenRefused(call: V3Call, endpoint: string, detail: string): TokenRefused {
  return new TokenRefused(serverError(110, call, endpoint, detail));
}

/** An error that v2 has too: 110 for a missing permission, 300 when members cannot agree. */
function serverError(
  errorCode: 110 | 300,
  { key, operation }: V3Call,
  endpoint: string,
  detail: string,
): EtcdError {
  const common = { key, operation, endpoint, detail, index: 0 };
  return serverErrorOf({ ...errorDefinition(errorCode), errorCode, ...common });
}

/** Decodes one message of a watch. @throws as {@link decodeV3Response} */
export function decodeV3Part(
  call: V3Call,
  response: HttpResponseHead,
  part: Buffer,
): WatchResponse {
  const { endpoint } = response;
  const origin = `${call.operation} at ${endpoint}`;
  if (isGrpc(response.headers)) return readGrpc(RPC.watch.response, part, origin);
  const { result, error } = readObject(part.toString(), JSON.parse, origin);
  const failure = readGrpcError(error);
  if (failure !== undefined) throw grpcErrorOf(call, endpoint, failure);
  if (isObject(result)) return readJson(RPC.watch.response, result, origin);
  throw new ProtocolError(`${origin}: the stream contains neither a result nor an error`);
}

/** Checks the gRPC status at the end of a stream. @throws as {@link decodeV3Response} */
export function requireOkAtEnd(call: V3Call, response: HttpResponseHead): void {
  const status = grpcStatusOf(response);
  if (status !== undefined && status.code !== 0) throw grpcErrorOf(call, response.endpoint, status);
}

function readGrpc<Message>(type: MessageType<Message>, bytes: Buffer, origin: string): Message {
  return readMessage(() => type.decode(bytes), origin);
}

function readJson<Message>(type: MessageType<Message>, json: JsonObject, origin: string): Message {
  return readMessage(() => fromJson(type, json), origin);
}

/** Runs the decoder of a message. @throws ProtocolError */
function readMessage<Message>(decode: () => Message, origin: string): Message {
  try {
    return decode();
  } catch (cause) {
    throw new ProtocolError(`${origin}: the response is not a valid message of etcd`, { cause });
  }
}
