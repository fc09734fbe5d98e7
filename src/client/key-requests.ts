import { OptionError } from "../errors/option-error.js";
import type {
  CompareAndDeleteRequest,
  CompareAndSwapRequest,
  Condition,
  CreateRequest,
  DeleteRequest,
  GetRequest,
  KeyRequest,
  SetRequest,
  UpdateRequest,
  WatchRequest,
} from "../model/key-request.js";
import { type KnownOptions, refuseUnknown } from "../model/option-names.js";
import type {
  DeleteOptions,
  GetOptions,
  IdempotencyOptions,
  IgnoreKeyNotFound,
  RefreshOptions,
  WatchNodeOptions,
  WriteOptions,
} from "./operation-options.js";

/** Functions that build the requests of the client's methods. @throws TypeError naming the argument */

const READ_OPTIONS: KnownOptions<GetOptions & IgnoreKeyNotFound> = {
  recursive: true,
  sorted: true,
  quorum: true,
  ignoreKeyNotFound: true,
  signal: true,
};
const WRITE_OPTIONS: KnownOptions<WriteOptions> = {
  ttl: true,
  dir: true,
  noValueOnSuccess: true,
  idempotencyKey: true,
  signal: true,
};
const REFRESH_OPTIONS: KnownOptions<RefreshOptions> = {
  prevValue: true,
  prevIndex: true,
  noValueOnSuccess: true,
  idempotencyKey: true,
  signal: true,
};
const DELETE_OPTIONS: KnownOptions<DeleteOptions & IgnoreKeyNotFound> = {
  dir: true,
  recursive: true,
  ignoreKeyNotFound: true,
  idempotencyKey: true,
  signal: true,
};
const COMPARE_AND_DELETE_OPTIONS: KnownOptions<IdempotencyOptions> = {
  idempotencyKey: true,
  signal: true,
};
const WATCH_NODE_OPTIONS: KnownOptions<WatchNodeOptions> = {
  recursive: true,
  waitIndex: true,
  signal: true,
};

export function getRequest(key: string, options: GetOptions, consistency: string): GetRequest {
  refuseUnknown(options, READ_OPTIONS);
  const { recursive = false, sorted = false, quorum = consistency === "quorum" } = options;
  return { action: "get", key, recursive, sorted, quorum };
}

export function setRequest(key: string, value: string | null, options: WriteOptions): SetRequest {
  return { action: "set", key, ...content(value, options), ...lifetime(options) };
}

export function createRequest(
  key: string,
  value: string | null,
  options: WriteOptions,
  inOrder: boolean,
): CreateRequest {
  return { action: "create", key, inOrder, ...content(value, options), ...lifetime(options) };
}

export function updateRequest(
  key: string,
  value: string | null,
  options: WriteOptions,
): UpdateRequest {
  return { action: "update", key, ...content(value, options), ...lifetime(options) };
}

export function refreshRequest(key: string, ttl: number, options: RefreshOptions): KeyRequest {
  refuseUnknown(options, REFRESH_OPTIONS);
  const { prevValue, prevIndex, noValueOnSuccess = false } = options;
  const refresh = { key, refresh: true, ttl, noValueOnSuccess } as const;
  if (prevValue === undefined && prevIndex === undefined) return { action: "update", ...refresh };
  return { action: "compareAndSwap", ...refresh, ...conditionOf({ prevValue, prevIndex }) };
}

export function deleteRequest(key: string, options: DeleteOptions): DeleteRequest {
  refuseUnknown(options, DELETE_OPTIONS);
  const { dir = false, recursive = false } = options;
  return { action: "delete", key, dir, recursive };
}

export function compareAndSwapRequest(
  key: string,
  condition: Condition,
  value: string,
  options: WriteOptions,
): CompareAndSwapRequest {
  return {
    action: "compareAndSwap",
    key,
    value,
    ...conditionOf(condition),
    ...lifetime(options),
  };
}

export function compareAndDeleteRequest(
  key: string,
  condition: Condition,
  options: IdempotencyOptions,
): CompareAndDeleteRequest {
  refuseUnknown(options, COMPARE_AND_DELETE_OPTIONS);
  return { action: "compareAndDelete", key, ...conditionOf(condition) };
}

export function watchRequest(key: string, options: WatchNodeOptions): WatchRequest {
  refuseUnknown(options, WATCH_NODE_OPTIONS);
  const { recursive = false, waitIndex } = options;
  return waitIndex === undefined ? { key, recursive } : { key, recursive, waitIndex };
}

/** A file has a value and no `dir`; a directory has `dir` and no value. */
function content(
  value: string | null,
  { dir = false }: WriteOptions,
): { readonly value: string } | { readonly dir: true } {
  if (dir && value !== null)
    throw new OptionError("value", "a directory has no value", "pass null");
  if (!dir && value === null)
    throw new OptionError("value", "null is only valid with dir: true", "pass a string");
  return value === null ? { dir: true } : { value };
}

function lifetime(options: WriteOptions): {
  readonly ttl?: number;
  readonly noValueOnSuccess: boolean;
} {
  refuseUnknown(options, WRITE_OPTIONS);
  const { ttl, noValueOnSuccess = false } = options;
  return ttl === undefined ? { noValueOnSuccess } : { ttl, noValueOnSuccess };
}

/** Without a condition, etcd would execute the write unconditionally. */
function conditionOf(condition: {
  readonly prevValue?: string | undefined;
  readonly prevIndex?: number | undefined;
}): Condition {
  const { prevValue, prevIndex } = condition ?? {};
  if (prevIndex === undefined) {
    if (prevValue === undefined)
      throw new OptionError("condition", "requires prevValue or prevIndex");
    return { prevValue };
  }
  return prevValue === undefined ? { prevIndex } : { prevValue, prevIndex };
}
