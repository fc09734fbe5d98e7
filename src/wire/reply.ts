import { AdminError } from "../errors/admin-error.js";
import { ProtocolError, V2DisabledError } from "../errors/cluster-errors.js";
import { EtcdRaftError } from "../errors/server-error.js";
import { serverErrorOf } from "../errors/server-error-of.js";
import { AttemptFailure } from "./attempt-failure.js";
import type { HttpReply, HttpRequest } from "./http.js";
import { isObject, type JsonDeserializer, type JsonObject, readObject } from "./json.js";

/**
 * A server of etcdnet sends this header with a 503 for a request of which it carried out nothing. etcd and
 * proxies do not: any other 503 leaves open what became of a request.
 */
export const NOT_PROCESSED_HEADER = "etcdnet-processed";
export const NOT_PROCESSED = "no";

/** Statuses with which etcd's HTTP layer, or a proxy before it, turns a request away unprocessed. */
const TURNED_AWAY: ReadonlyMap<number, string> = new Map([
  [405, "the endpoint does not take this method here"],
  [407, "the proxy asks for credentials: put them into the URL of useProxy"],
  [414, "the proxy finds the request line too long"],
  [
    421,
    "the endpoint does not accept this host name (--host-whitelist; of etcdnet's servers --allowed-hosts)",
  ],
  [431, "the endpoint finds the request line or the headers too large"],
]);

/** A successful reply's JSON object. @throws AttemptFailure, EtcdServerError, AdminError */
export function readSuccess(
  request: HttpRequest,
  reply: HttpReply,
  deserialize: JsonDeserializer,
  key = "",
): JsonObject {
  requireSuccess(request, reply, key);
  return readable(() => readObject(reply.body, deserialize, originOf(request, reply)));
}

/** Passes a successful reply. @throws AttemptFailure, EtcdServerError, AdminError for any other */
export function requireSuccess(request: HttpRequest, reply: HttpReply, key = ""): void {
  if (reply.status >= 200 && reply.status < 300) return;
  throw errorOf(request, reply, key);
}

/** Runs a decoder: what cannot be read leaves open what the endpoint did. */
export function readable<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof ProtocolError ? new AttemptFailure("unknown", error) : error;
  }
}

/** Names the request and the endpoint in a message. */
export function originOf(
  request: Pick<HttpRequest, "operation">,
  reply: { readonly endpoint: string },
): string {
  return `${request.operation} at ${reply.endpoint}`;
}

function errorOf(request: HttpRequest, reply: HttpReply, key: string): Error {
  const { status, body, endpoint } = reply;
  if (status === 404 && body === "404 page not found\n") {
    return new AttemptFailure("no", new V2DisabledError(request.operation, [endpoint]));
  }
  const failure = turnedAway(request, reply);
  if (failure !== undefined) return failure;
  const error = errorIn(request, reply, key);
  if (status === 503 && reply.headers[NOT_PROCESSED_HEADER] === NOT_PROCESSED) {
    return new AttemptFailure("no", error ?? strange(request, reply, "too many requests"));
  }
  if (error === undefined) {
    return new AttemptFailure("unknown", strange(request, reply, "not an answer of etcd's"));
  }
  // What no member can answer now (no leader, no quorum) may still be answered by another one.
  const final = status < 500 && !(error instanceof EtcdRaftError);
  return final ? error : new AttemptFailure("unknown", error);
}

/** The failure that a status before any API stands for, if it is one of those. */
export function turnedAway(
  request: Pick<HttpRequest, "operation">,
  reply: HttpReply,
): AttemptFailure | undefined {
  const why = TURNED_AWAY.get(reply.status);
  return why === undefined ? undefined : new AttemptFailure("no", strange(request, reply, why));
}

/** The error that a body holds, in either of etcd's two forms. */
function errorIn(request: HttpRequest, reply: HttpReply, key: string): Error | undefined {
  const { operation } = request;
  const { status, endpoint, headers } = reply;
  const clusterId = headers["x-etcd-cluster-id"];
  const { errorCode, message, cause, index } = bodyOf(reply);
  if (typeof message !== "string") return undefined;
  if (typeof index === "number" && !Number.isSafeInteger(index)) return undefined;
  if (typeof errorCode !== "number") return new AdminError(operation, endpoint, status, message);
  return serverErrorOf({
    errorCode,
    reason: message,
    detail: typeof cause === "string" ? cause : "",
    index: typeof index === "number" ? index : 0,
    status,
    key,
    operation,
    endpoint,
    ...(typeof clusterId === "string" && { clusterId }),
  });
}

function bodyOf(reply: HttpReply): JsonObject {
  try {
    const value: unknown = JSON.parse(reply.body);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function strange(
  request: Pick<HttpRequest, "operation">,
  reply: HttpReply,
  what: string,
): ProtocolError {
  return new ProtocolError(`${originOf(request, reply)}: HTTP ${reply.status}, ${what}`);
}
