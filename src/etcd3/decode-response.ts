import { ProtocolError } from "../errors/cluster-errors.js";
import { grpcStatusOf, isGrpc, isGrpcSuccess, unframed } from "../wire/grpc.js";
import type { HttpResponse, HttpResponseHead } from "../wire/http.js";
import { decodeResponse, requestAtEndpoint } from "../wire/http-response.js";
import { isObject, type JsonObject, readObject } from "../wire/json.js";
import { fromJson } from "./json-form.js";
import type { MessageType } from "./protobuf/message-type.js";
import { grpcErrorOf, readGrpcError, responseErrorOf } from "./response-error.js";
import { RPC, type Rpc, type WatchResponse } from "./rpcs.js";
import { type HasHeader, type V3Call, V3Response } from "./v3-api.js";

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
  const failed = grpcBody === undefined ? status !== 200 : !isGrpcSuccess(response);
  if (failed) throw responseErrorOf(call, response);
  return decodeResponse(() => {
    const message =
      grpcBody === undefined
        ? readJsonBody(rpc.response, call, response)
        : readGrpc(rpc.response, unframed(grpcBody), call, endpoint);
    const decoded = new V3Response(message, endpoint);
    // Required here, because only here a missing header can make a write's outcome unknown.
    if (rpc.service === "KV") void decoded.header;
    return decoded;
  });
}

/** Decodes one message of a watch. @throws as {@link decodeV3Response} */
export function decodeWatchMessage(
  call: V3Call,
  response: HttpResponseHead,
  part: Buffer,
): WatchResponse {
  const { endpoint } = response;
  if (isGrpc(response.headers)) return readGrpc(RPC.watch.response, part, call, endpoint);
  const origin = requestAtEndpoint(call, response);
  const { result, error } = readObject(part.toString(), JSON.parse, origin);
  const failure = readGrpcError(error);
  if (failure !== undefined) throw grpcErrorOf(call, endpoint, failure);
  if (isObject(result)) return readJson(RPC.watch.response, result, call, endpoint);
  throw new ProtocolError(`${origin}: the stream contains neither a result nor an error`);
}

/** Checks the gRPC status at the end of a stream. @throws as {@link decodeV3Response} */
export function requireOkAtEnd(call: V3Call, response: HttpResponseHead): void {
  const status = grpcStatusOf(response);
  if (status !== undefined && status.code !== 0) throw grpcErrorOf(call, response.endpoint, status);
}

function readGrpc<Message>(
  type: MessageType<Message>,
  bytes: Buffer,
  call: V3Call,
  endpoint: string,
): Message {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw notAMessage(call, endpoint, cause);
  }
}

function readJson<Message>(
  type: MessageType<Message>,
  json: JsonObject,
  call: V3Call,
  endpoint: string,
): Message {
  try {
    return fromJson(type, json);
  } catch (cause) {
    throw notAMessage(call, endpoint, cause);
  }
}

function readJsonBody<Message>(
  type: MessageType<Message>,
  call: V3Call,
  response: HttpResponse,
): Message {
  const json = readObject(response.body, JSON.parse, requestAtEndpoint(call, response));
  return readJson(type, json, call, response.endpoint);
}

function notAMessage(call: V3Call, endpoint: string, cause: unknown): ProtocolError {
  const origin = requestAtEndpoint(call, { endpoint });
  return new ProtocolError(`${origin}: the response is not a valid message of etcd`, { cause });
}
