import type { Condition, KeyRequest, WatchRequest } from "../model/key-request.js";
import type { Form } from "./form.js";

/** A parameter that etcd rejects. */
export class ParameterError extends Error {
  readonly errorCode: number;

  /** @param cause etcd's message */
  constructor(errorCode: number, cause: string) {
    super(cause);
    this.errorCode = errorCode;
  }
}

/** Methods of the key space. HEAD is GET without a body. */
export type KeyMethod = "GET" | "HEAD" | "PUT" | "POST" | "DELETE";

/** A decoded request of `/v2/keys`. */
export type DecodedRequest =
  | { readonly kind: "call"; readonly request: KeyRequest }
  | { readonly kind: "watch"; readonly request: WatchRequest };

const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "FALSE", "false", "False"]);
const MAX_UINT64 = 18_446_744_073_709_551_615n;

interface Parameters {
  readonly prevIndex: number;
  readonly waitIndex: number;
  readonly recursive: boolean;
  readonly sorted: boolean;
  readonly wait: boolean;
  readonly dir: boolean;
  readonly quorum: boolean;
  readonly stream: boolean;
  readonly prevValue: string;
  readonly noValueOnSuccess: boolean;
  readonly ttl: number | undefined;
  readonly prevExist: boolean | undefined;
  readonly refresh: boolean;
  readonly value: string;
}

/**
 * Decodes the parameters of a request. All are validated, in etcd's order, for every method. Those
 * that do not apply are then ignored.
 *
 * @throws ParameterError
 */
export function decodeKeyRequest(method: KeyMethod, key: string, form: Form): DecodedRequest {
  const parameters = readParameters(method, form);
  const { wait, quorum } = parameters;
  if (wait && !quorum && method === "GET") {
    const { recursive, waitIndex, stream } = parameters;
    return { kind: "watch", request: { key, recursive, waitIndex, stream } };
  }
  return { kind: "call", request: requestOf(method, key, parameters) };
}

function readParameters(method: KeyMethod, form: Form): Parameters {
  const prevIndex = readIndex(form, "prevIndex");
  const waitIndex = readIndex(form, "waitIndex");
  const recursive = readFlag(form, "recursive") ?? false;
  const sorted = readFlag(form, "sorted") ?? false;
  const wait = readFlag(form, "wait") ?? false;
  const dir = readFlag(form, "dir") ?? false;
  const quorum = readFlag(form, "quorum") ?? false;
  const stream = readFlag(form, "stream") ?? false;
  if (wait && method !== "GET") {
    throw new ParameterError(209, '"wait" can only be used with GET requests');
  }
  const prevValue = form.get("prevValue");
  if (prevValue === "") throw new ParameterError(201, '"prevValue" cannot be empty');
  const noValueOnSuccess = readFlag(form, "noValueOnSuccess") ?? false;
  const ttl = readTtl(form);
  const prevExist = readFlag(form, "prevExist");
  const refresh = readFlag(form, "refresh") ?? false;
  const value = form.get("value") ?? "";
  if (refresh && value !== "") throw new ParameterError(211, "A value was provided on a refresh");
  if (refresh && ttl === undefined) throw new ParameterError(212, "No TTL value set");
  return {
    prevIndex,
    waitIndex,
    recursive,
    sorted,
    wait,
    dir,
    quorum,
    stream,
    prevValue: prevValue ?? "",
    noValueOnSuccess,
    ttl,
    prevExist,
    refresh,
    value,
  };
}

/** Selects the operation. The first matching condition decides. */
function requestOf(method: KeyMethod, key: string, parameters: Parameters): KeyRequest {
  const { recursive, sorted, quorum, dir } = parameters;
  const condition = conditionOf(parameters);
  switch (method) {
    case "GET":
    case "HEAD":
      return { action: "get", key, recursive, sorted, quorum: quorum && method === "GET" };
    case "DELETE":
      return condition === undefined
        ? { action: "delete", key, dir, recursive }
        : { action: "compareAndDelete", key, ...condition };
    case "POST":
      return {
        action: "create",
        key,
        inOrder: true,
        ...newNodeOf(parameters),
        ...lifetimeOf(parameters),
      };
    case "PUT":
      return putOf(key, parameters, condition);
  }
}

function putOf(key: string, parameters: Parameters, condition: Condition | undefined): KeyRequest {
  const { prevExist, dir, refresh } = parameters;
  if (prevExist === false) {
    return { action: "create", key, ...newNodeOf(parameters), ...lifetimeOf(parameters) };
  }
  if (condition !== undefined) {
    return { action: "compareAndSwap", key, ...condition, ...contentOf(parameters) };
  }
  if (prevExist) return { action: "update", key, ...contentOf(parameters) };
  if (dir) return { action: "set", key, dir, refresh, ...lifetimeOf(parameters) };
  return { action: "set", key, ...contentOf(parameters) };
}

function conditionOf({ prevValue, prevIndex }: Parameters): Condition | undefined {
  if (prevIndex === 0) return prevValue === "" ? undefined : { prevValue };
  return prevValue === "" ? { prevIndex } : { prevValue, prevIndex };
}

function newNodeOf({
  dir,
  value,
}: Parameters): { readonly dir: true } | { readonly value: string } {
  return dir ? { dir } : { value };
}

function lifetimeOf({ ttl, noValueOnSuccess }: Parameters): {
  readonly ttl?: number;
  readonly noValueOnSuccess: boolean;
} {
  return ttl === undefined ? { noValueOnSuccess } : { ttl, noValueOnSuccess };
}

/** Validation guarantees that a refresh has a TTL. */
function contentOf(
  parameters: Parameters,
): { readonly refresh: true; readonly ttl: number } | { readonly value: string } {
  const { refresh, value, ttl = 0 } = parameters;
  return refresh
    ? { ...lifetimeOf(parameters), refresh, ttl }
    : { ...lifetimeOf(parameters), value };
}

function readIndex(form: Form, name: string): number {
  const text = form.get(name);
  return text === undefined ? 0 : readUint(text, 203, name);
}

function readTtl(form: Form): number | undefined {
  const text = form.get("ttl");
  return text === undefined || text === "" ? undefined : readUint(text, 202, "ttl");
}

function readUint(text: string, errorCode: number, name: string): number {
  if (!/^\d+$/.test(text) || (text.length > 19 && BigInt(text) > MAX_UINT64)) {
    throw new ParameterError(errorCode, `invalid value for "${name}"`);
  }
  // Rounding is harmless: no index or TTL beyond 2^53 occurs.
  return Number(text);
}

/** Flags whose names etcd does not quote in its error message. */
const UNQUOTED: ReadonlySet<string> = new Set(["prevExist", "refresh"]);

function readFlag(form: Form, name: string): boolean | undefined {
  const text = form.get(name);
  if (text === undefined) return undefined;
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new ParameterError(209, `invalid value for ${UNQUOTED.has(name) ? name : `"${name}"`}`);
}
