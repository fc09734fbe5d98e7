import type { Condition, KeyRequest } from "../model/key-request.js";
import type { V2Request } from "./messages.js";

/** The first time that etcd takes for an expiration: the year 2000. */
const MIN_EXPIRATION_MS = 946_684_800_000;

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;

/** The parts of a millisecond that a number can hold in a time of this century. */
const PARTS_PER_MILLISECOND = 4096;

/** A write with the time at which its node expires, in milliseconds since 1970. */
interface Write {
  readonly request: KeyRequest;
  readonly expiration?: number;
}

/** The write of a v2 request; undefined for a read. Keys and values have one character per byte. */
export function requestOf(method: string, path: string, request: V2Request): Write | undefined {
  const key = cleanPath(path);
  if (method === "POST") {
    return created({ action: "create", key, inOrder: true, ...contentOf(request) }, request);
  }
  if (method === "PUT") return put(key, request);
  if (method === "DELETE") return { request: deleteOf(key, request) };
  return undefined;
}

function put(key: string, request: V2Request): Write {
  const [exists] = request.prevExist;
  const condition = conditionOf(request);
  if (exists === false) return created({ action: "create", key, ...contentOf(request) }, request);
  if (condition !== undefined) {
    return changed(
      { action: "compareAndSwap", key, ...condition, ...fileContentOf(request) },
      request,
    );
  }
  if (exists) return changed({ action: "update", key, ...fileContentOf(request) }, request);
  const { dir, refresh } = request;
  return created(
    dir ? { action: "set", key, dir, refresh } : { action: "set", key, ...fileContentOf(request) },
    request,
  );
}

function deleteOf(key: string, request: V2Request): KeyRequest {
  const { dir, recursive } = request;
  const condition = conditionOf(request);
  return condition === undefined
    ? { action: "delete", key, dir, recursive }
    : { action: "compareAndDelete", key, ...condition };
}

function contentOf({ dir, value }: V2Request) {
  return dir ? ({ dir } as const) : { value: value.toString("latin1") };
}

function fileContentOf({ refresh, value }: V2Request) {
  // A TTL without an end means no TTL, unless the request has one.
  return refresh
    ? ({ refresh, ttl: Number.POSITIVE_INFINITY } as const)
    : { value: value.toString("latin1") };
}

/** etcd ignores an empty value and an index of 0. */
function conditionOf({ prevValue, prevIndex: index }: V2Request): Condition | undefined {
  const prevIndex = Number(index);
  if (prevValue.length > 0) return { prevValue: prevValue.toString("latin1"), prevIndex };
  return prevIndex > 0 ? { prevIndex } : undefined;
}

/** A write that makes a node. etcd ignores expirations in the distant past: its numbers overflow. */
function created(request: KeyRequest, source: V2Request): Write {
  const { expiration } = changed(request, source);
  const isIgnored = expiration === undefined || expiration < MIN_EXPIRATION_MS;
  return isIgnored ? { request } : { request, expiration };
}

function changed(request: KeyRequest, { expiration }: V2Request): Write {
  if (expiration === "0") return { request };
  return { request, expiration: millisecondsOf(BigInt(expiration)) };
}

/** Rounded down: a time shortly before a millisecond must not get into it. */
function millisecondsOf(nanoseconds: bigint): number {
  const rest = Number(nanoseconds % NANOSECONDS_PER_MILLISECOND);
  const parts = Math.floor((rest * PARTS_PER_MILLISECOND) / Number(NANOSECONDS_PER_MILLISECOND));
  return Number(nanoseconds / NANOSECONDS_PER_MILLISECOND) + parts / PARTS_PER_MILLISECOND;
}

/** A path without empty segments and dots, as Go cleans it. The root is empty. */
function cleanPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return segments.map((segment) => `/${segment}`).join("");
}
