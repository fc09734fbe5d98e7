import { inspect } from "node:util";
import { OptionError } from "../errors/option-error.js";
import { requestActions } from "./actions.js";
import type {
  CompareAndSwapRequest,
  Condition,
  CreateRequest,
  KeyRequest,
  SetRequest,
  UpdateRequest,
  WatchRequest,
} from "./key-request.js";

/** A segment that etcd would remove with a redirect. */
const UNCLEAN = /\/\/|\/\.{1,2}(?:\/|$)/;
/** etcd treats a set of such a key as a membership record, and may crash. */
const RESERVED = /\/0\/members\/[\da-f]{1,16}\/attributes(?:\/|$)/i;
/** A 64-bit count of nanoseconds since 1970 overflows at this second, in April 2262. */
const MAX_UNIX_SECONDS = 9_223_372_036;

type ContentRequest = SetRequest | CreateRequest | UpdateRequest | CompareAndSwapRequest;

/** Checks a request before it is sent. @throws TypeError naming the field and the fix */
export function checkKeyRequest(request: KeyRequest): void {
  if (!requestActions.includes(request.action)) {
    throw new OptionError("action", `must be one of ${requestActions.join(", ")}`);
  }
  checkKey(request.key);
  if (request.action === "get") return;
  if (RESERVED.test(request.key)) {
    throw new OptionError(
      "key",
      `"${request.key}" looks like a membership record of etcd, which a write could damage`,
      "choose another path than …/0/members/ID/attributes",
    );
  }
  if (request.action === "delete") return;
  const { action } = request;
  if (action === "compareAndSwap" || action === "compareAndDelete") checkCondition(request);
  if (action !== "compareAndDelete") checkContent(request);
}

/** Without a condition, etcd would execute the write unconditionally. */
function checkCondition({ prevValue, prevIndex }: Partial<Condition>): void {
  if (prevValue === undefined && prevIndex === undefined) {
    throw new OptionError("condition", "requires prevValue or prevIndex");
  }
  if (prevValue !== undefined) checkPrevValue(prevValue);
  if (prevIndex !== undefined) checkIndex("prevIndex", prevIndex, 1);
}

/** Without a value, etcd would store an empty one. */
function checkContent(request: ContentRequest): void {
  const { action, value, ttl } = request;
  const dir = "dir" in request && request.dir === true;
  const refresh = "refresh" in request && request.refresh === true;
  if (value !== undefined || !(dir || refresh)) checkText("value", value);
  if (value !== undefined && dir && action !== "update") {
    throw new OptionError("value", "a directory has no value", "omit it");
  }
  if (ttl !== undefined || refresh) checkTtl(ttl);
}

/** Checks a watch before it is opened. @throws TypeError naming the field and the fix */
export function checkWatchRequest({ key, waitIndex }: WatchRequest): void {
  checkKey(key);
  if (waitIndex !== undefined) checkIndex("waitIndex", waitIndex, 0);
}

/** Checks a key, or another field that contains a key. @throws TypeError */
export function checkKey(key: string, field = "key"): void {
  checkText(field, key);
  if (!key.startsWith("/")) {
    throw new OptionError(field, `"${key}" must begin with "/"`, `write "/${key}"`);
  }
  if (UNCLEAN.test(key)) {
    throw new OptionError(
      field,
      `"${key}" has an empty, "." or ".." segment, which etcd would redirect`,
      "write the path without it",
    );
  }
}

/** Checks a text that etcd stores or compares. @throws TypeError naming the field */
export function checkText(field: string, text: unknown): void {
  if (typeof text !== "string") {
    throw new OptionError(
      field,
      `must be a string, not ${typeOf(text)}`,
      "encode it, e.g. as JSON",
    );
  }
  if (!text.isWellFormed()) {
    throw new OptionError(
      field,
      "has half of a surrogate pair, which etcd cannot store",
      "encode binary data, e.g. as base64",
    );
  }
}

function checkTtl(ttl: number | undefined): void {
  if (ttl === undefined || !Number.isInteger(ttl) || ttl < 0) {
    throw new OptionError(
      "ttl",
      `must be a whole number of seconds, 0 or more, not ${inspect(ttl)}`,
    );
  }
  if (Date.now() / 1000 + ttl > MAX_UNIX_SECONDS) {
    throw new OptionError(
      "ttl",
      `${ttl} seconds end after April 2262, when etcd's clock overflows`,
      "omit ttl",
    );
  }
}

function checkPrevValue(prevValue: string): void {
  checkText("prevValue", prevValue);
  if (prevValue === "") {
    throw new OptionError(
      "prevValue",
      "etcd cannot compare with an empty value",
      "compare by prevIndex",
    );
  }
}

/** @throws TypeError */
export function checkIndex(field: string, index: number, min: number): void {
  if (!Number.isSafeInteger(index) || index < min) {
    throw new OptionError(
      field,
      `must be an integer from ${min} to 2^53 - 1, not ${inspect(index)}`,
    );
  }
}

function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
