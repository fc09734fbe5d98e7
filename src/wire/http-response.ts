import { AdminError } from "../errors/admin-error.js";
import { ProtocolError, V2DisabledError } from "../errors/cluster-errors.js";
import { serverErrorOf } from "../errors/error-table.js";
import { EtcdRaftError } from "../errors/server-error.js";
import { AttemptFailure } from "./attempt-failure.js";
import type { HttpRequest, HttpResponse } from "./http.js";
import { isCount, isObject, type JsonDeserializer, type JsonObject, readObject } from "./json.js";

/**
 * A server of etcdnet sends this header with a 503 if it applied nothing of the request. Any other
 * 503, from etcd or a proxy, leaves the outcome unknown.
 */
export const NOT_PROCESSED_HEADER = "etcdnet-processed";
export const NOT_PROCESSED = "no";

/** Statuses with which etcd's HTTP layer, or a proxy before it, rejects a request unprocessed. */
const REJECTED_STATUSES: ReadonlyMap<number, string> = new Map([
  [405, "the endpoint does not accept this method here"],
  [407, "the proxy requires credentials: put them into the URL of useProxy"],
  [414, "the request line is too long for the proxy"],
  [
    421,
    "the endpoint does not accept this host name (see --host-whitelist of etcd, or --allowed-hosts of etcdnet's servers)",
  ],
  [431, "the request line or the headers are too large for the endpoint"],
]);

/**
 * Reads the JSON object of a successful response. @throws AttemptFailure, EtcdServerError,
 * AdminError
 */
export function readSuccess(
  request: HttpRequest,
  response: HttpResponse,
  deserialize: JsonDeserializer,
  key = "",
): JsonObject {
  requireSuccess(request, response, key);
  return decodeResponse(() =>
    readObject(response.body, deserialize, requestAtEndpoint(request, response)),
  );
}

/** Throws unless the response is successful. @throws AttemptFailure, EtcdServerError, AdminError */
export function requireSuccess(request: HttpRequest, response: HttpResponse, key = ""): void {
  if (response.status >= 200 && response.status < 300) return;
  throw errorOf(request, response, key);
}

/** Runs a decoder. An unreadable response leaves the request's outcome unknown. */
export function decodeResponse<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof ProtocolError ? new AttemptFailure("unknown", error) : error;
  }
}

/** Names the request and the endpoint in a message. */
export function requestAtEndpoint(
  request: Pick<HttpRequest, "operation">,
  response: { readonly endpoint: string },
): string {
  return `${request.operation} at ${response.endpoint}`;
}

function errorOf(request: HttpRequest, response: HttpResponse, key: string): Error {
  const { status, body, endpoint } = response;
  if (status === 404 && body === "404 page not found\n") {
    return new AttemptFailure("no", new V2DisabledError(request.operation, [endpoint]));
  }
  const failure = rejectedByStatus(request, response);
  if (failure !== undefined) return failure;
  const error = bodyError(request, response, key);
  if (status === 503 && response.headers[NOT_PROCESSED_HEADER] === NOT_PROCESSED) {
    return new AttemptFailure(
      "no",
      error ?? unexpectedResponse(request, response, "too many requests"),
    );
  }
  if (error === undefined) {
    return new AttemptFailure(
      "unknown",
      unexpectedResponse(request, response, "not a response of etcd"),
    );
  }
  // Another member may have a leader or a quorum when this one has none.
  const isFinal = status < 500 && !(error instanceof EtcdRaftError);
  return isFinal ? error : new AttemptFailure("unknown", error);
}

/** The failure for a status that rejects the request before any API; otherwise `undefined`. */
export function rejectedByStatus(
  request: Pick<HttpRequest, "operation">,
  response: HttpResponse,
): AttemptFailure | undefined {
  const why = REJECTED_STATUSES.get(response.status);
  return why === undefined
    ? undefined
    : new AttemptFailure("no", unexpectedResponse(request, response, why));
}

/** Reads the error in a body, in either of etcd's two forms. */
function bodyError(request: HttpRequest, response: HttpResponse, key: string): Error | undefined {
  const { operation } = request;
  const { status, endpoint, headers } = response;
  const clusterId = headers["x-etcd-cluster-id"];
  const { errorCode, message, cause, index = 0 } = bodyOf(response);
  if (typeof message !== "string") return undefined;
  if (errorCode === undefined) return new AdminError(operation, endpoint, status, message);
  if (!isCount(errorCode) || !isCount(index)) return undefined;
  return serverErrorOf({
    errorCode,
    reason: message,
    detail: typeof cause === "string" ? cause : "",
    index,
    status,
    key,
    operation,
    endpoint,
    ...(typeof clusterId === "string" && { clusterId }),
  });
}

function bodyOf(response: HttpResponse): JsonObject {
  try {
    const value: unknown = JSON.parse(response.body);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function unexpectedResponse(
  request: Pick<HttpRequest, "operation">,
  response: HttpResponse,
  what: string,
): ProtocolError {
  return new ProtocolError(
    `${requestAtEndpoint(request, response)}: HTTP ${response.status}, ${what}`,
  );
}
