import { ProtocolError } from "../../errors/cluster-errors.js";
import { errorDefinition } from "../../errors/error-table.js";
import type { EtcdError } from "../../errors/etcd-error.js";
import { serverErrorOf } from "../../errors/server-error-of.js";
import { V3DisabledError, V3RefusedError } from "../../errors/v3-errors.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import type { HttpReply } from "../../wire/http.js";
import { isObject, type JsonObject, readObject } from "../../wire/json.js";
import { readable, turnedAway } from "../../wire/reply.js";
import type { V3Answer, V3Call } from "./v3-api.js";
import { meaningOf } from "./v3-refusal.js";

/** The member does not know the token: it has done nothing, and a new token may help. */
export class TokenRefused extends Error {
  /** What is left to say when a new token does not help. */
  override readonly cause: EtcdError;

  constructor(cause: EtcdError) {
    super(cause.message);
    this.cause = cause;
  }
}

/** @throws AttemptFailure, TokenRefused, V3RefusedError, UnauthorizedError */
export function decodeV3Reply(call: V3Call, reply: HttpReply): V3Answer {
  if (reply.status !== 200) throw v3ErrorOf(call, reply);
  const { endpoint } = reply;
  const origin = `${call.operation} at ${endpoint}`;
  return readable(() => ({ body: readObject(reply.body, JSON.parse, origin), endpoint }));
}

/** What a reply other than 200 means. */
export function v3ErrorOf(call: V3Call, reply: HttpReply): Error {
  const { operation } = call;
  const { status, body, endpoint } = reply;
  const error = errorIn(body);
  if (error !== undefined) return grpcErrorOf(call, endpoint, error);
  if (status === 404 && NOT_SERVED.has(body)) {
    return new AttemptFailure("no", new V3DisabledError(operation, [endpoint]));
  }
  return (
    turnedAway(call, reply) ??
    new AttemptFailure(
      "unknown",
      new ProtocolError(`${operation} at ${endpoint}: HTTP ${status}, not an answer of etcd's`),
    )
  );
}

/** etcd without the JSON gateway, and one that is too old for its present path. */
const NOT_SERVED: ReadonlySet<string> = new Set(["404 page not found\n", "Not Found\n"]);

/** A gRPC status as the JSON gateway shows it. */
interface GrpcError {
  readonly code: number;
  readonly message: string;
}

function errorIn(body: string): GrpcError | undefined {
  try {
    return readGrpcError(JSON.parse(body));
  } catch {
    return undefined;
  }
}

/** As in a reply of its own, or as `error` in a stream, where etcd 3.4 names the code otherwise. */
function readGrpcError(value: unknown): GrpcError | undefined {
  if (!isObject(value) || typeof value.message !== "string") return undefined;
  const code = value.code ?? value.grpc_code;
  return typeof code === "number" ? { code, message: value.message } : undefined;
}

/** The error to throw for a gRPC status. */
function grpcErrorOf(call: V3Call, endpoint: string, { code, message }: GrpcError): Error {
  switch (meaningOf(message, code)) {
    case "refused":
      return new V3RefusedError(call.operation, endpoint, code, message);
    case "unauthorized":
      return serverError(110, call, endpoint, message);
    case "token":
      return tokenRefused(call, endpoint, message);
    case "elsewhere":
      return new AttemptFailure("no", serverError(300, call, endpoint, message));
    case "unknown":
      return new AttemptFailure("unknown", serverError(300, call, endpoint, message));
  }
}

/** @param detail etcd's own sentence */
export function tokenRefused(call: V3Call, endpoint: string, detail: string): TokenRefused {
  return new TokenRefused(serverError(110, call, endpoint, detail));
}

/** An error that v2 has as well: 110 for want of permission, 300 where members cannot agree. */
function serverError(
  errorCode: 110 | 300,
  { key, operation }: V3Call,
  endpoint: string,
  detail: string,
): EtcdError {
  const common = { key, operation, endpoint, detail, index: 0 };
  return serverErrorOf({ ...errorDefinition(errorCode), errorCode, ...common });
}

/** The answer in one line of a stream. @throws as {@link decodeV3Reply} */
export function decodeV3Line(call: V3Call, endpoint: string, line: string): JsonObject {
  const origin = `${call.operation} at ${endpoint}`;
  const { result, error } = readObject(line, JSON.parse, origin);
  const failure = readGrpcError(error);
  if (failure !== undefined) throw grpcErrorOf(call, endpoint, failure);
  if (isObject(result)) return result;
  throw new ProtocolError(`${origin}: the stream holds neither a result nor an error`);
}
