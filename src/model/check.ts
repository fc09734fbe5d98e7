import type { KeyRequest, WatchRequest } from "./key-request.js";

/** A segment that a server would clean away with a redirect. */
const UNCLEAN = /\/\/|\/\.{1,2}(?:\/|$)/;
/** etcd takes a plain set of such a key for a membership record, and may die of it. */
const RESERVED = /\/0\/members\/[\da-f]{1,16}\/attributes(?:\/|$)/i;
/** Seconds since 1970 at which a 64-bit count of nanoseconds ends, in April 2262. */
const LAST_SECOND = 9_223_372_036;

/** Checks a request before it is sent. @throws TypeError naming the field and the fix */
export function checkKeyRequest(request: KeyRequest): void {
  checkKey(request.key);
  if (request.action === "get") return;
  if (RESERVED.test(request.key)) {
    throw new TypeError(
      `key: "${request.key}" has the shape of etcd's own membership records, which a write would ` +
        "damage; choose another path than …/0/members/ID/attributes",
    );
  }
  if ("value" in request && request.value !== undefined) checkText("value", request.value);
  if ("ttl" in request && request.ttl !== undefined) checkTtl(request.ttl);
  if ("prevValue" in request && request.prevValue !== undefined) checkPrevValue(request.prevValue);
  if ("prevIndex" in request && request.prevIndex !== undefined) {
    checkIndex("prevIndex", request.prevIndex, 1);
  }
}

/** Checks a watch before it is opened. @throws TypeError naming the field and the fix */
export function checkWatchRequest({ key, waitIndex }: WatchRequest): void {
  checkKey(key);
  if (waitIndex !== undefined) checkIndex("waitIndex", waitIndex, 0);
}

/** Checks a key, or what is used as one. @throws TypeError */
export function checkKey(key: string, field = "key"): void {
  checkText(field, key);
  if (!key.startsWith("/")) {
    throw new TypeError(`${field}: "${key}" must begin with "/"; write "/${key}"`);
  }
  if (UNCLEAN.test(key)) {
    throw new TypeError(
      `${field}: "${key}" has an empty, "." or ".." segment, which etcd would redirect; ` +
        "write the path without it",
    );
  }
}

function checkText(field: string, text: unknown): void {
  if (typeof text !== "string") {
    throw new TypeError(`${field}: must be a string, not ${typeOf(text)}; encode it, e.g. as JSON`);
  }
  if (!text.isWellFormed()) {
    throw new TypeError(
      `${field}: has half of a surrogate pair, which etcd cannot store; encode binary data`,
    );
  }
}

function checkTtl(ttl: number): void {
  if (!Number.isInteger(ttl) || ttl < 0) {
    throw new TypeError(`ttl: must be a whole number of seconds, 0 or more, not ${String(ttl)}`);
  }
  if (Date.now() / 1000 + ttl > LAST_SECOND) {
    throw new TypeError(
      `ttl: ${ttl} seconds end after April 2262, where etcd's clock overflows; leave ttl out`,
    );
  }
}

function checkPrevValue(prevValue: string): void {
  checkText("prevValue", prevValue);
  if (prevValue === "") {
    throw new TypeError("prevValue: etcd cannot compare with an empty value; compare by prevIndex");
  }
}

function checkIndex(field: string, index: number, least: number): void {
  if (!Number.isSafeInteger(index) || index < least) {
    throw new TypeError(
      `${field}: must be an integer from ${least} to 2^53 - 1, not ${String(index)}`,
    );
  }
}

function typeOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
