import { ProtocolError } from "../errors/cluster-errors.js";
import { errorDefinition, serverErrorOf } from "../errors/error-table.js";
import type { EtcdError } from "../errors/etcd-error.js";
import { V3DisabledError, V3RefusedError } from "../errors/v3-errors.js";
import { AttemptFailure } from "../wire/attempt-failure.js";
import { type GrpcStatus, grpcStatusOf } from "../wire/grpc.js";
import type { HttpResponse } from "../wire/http.js";
import { rejectedByStatus } from "../wire/http-response.js";
import { isObject } from "../wire/json.js";
import { isNamedCertificateRefusal, isNotServed, retryClassOf } from "./error-messages.js";
import type { V3Call } from "./v3-api.js";

/** The member rejected the token without processing the request. A new token may help. */
export class TokenRefused extends Error {
  /** The error to throw when a new token does not help. */
  override readonly cause: EtcdError;

  constructor(cause: EtcdError) {
    super(cause.message);
    this.cause = cause;
  }
}

/** The error for a response that is not a success. */
export function responseErrorOf(call: V3Call, response: HttpResponse): Error {
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
export function readGrpcError(value: unknown): GrpcStatus | undefined {
  if (!isObject(value) || typeof value.message !== "string") return undefined;
  const code = value.code ?? value.grpc_code;
  return typeof code === "number" ? { code, message: value.message } : undefined;
}

/** The error to throw for a gRPC status. */
export function grpcErrorOf(call: V3Call, endpoint: string, { code, message }: GrpcStatus): Error {
  const refusal = () => new V3RefusedError(call.operation, endpoint, code, message);
  switch (retryClassOf(message, code)) {
    case "refused":
      return refusal();
    case "refused-or-applied":
      if (call.safety === "read") return refusal();
      return new AttemptFailure("unknown", refusal(), "healthy");
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
