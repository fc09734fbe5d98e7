import type { StoreEvent } from "../../src/key-space/shared/store-event.js";
import type { WatchRequest } from "../../src/model/key-request.js";
import type { RawRequest } from "./request.js";

/**
 * Where we mean to differ from etcd; docs/deviations.md says the same to users. The first four are
 * applied below; requests that would show the others are never sent.
 */
export const DEVIATIONS = {
  "history tells what a live watch would have told":
    "etcd also tells of hidden keys below a recursive watch, and of the removal of a directory whose name the watched key merely begins with",
  "a stream from the past goes on": "etcd falls silent for ever after one event",
  "a stream tells of a removal once": "etcd tells a stream on the removed node itself twice",
  "raw bytes beyond ASCII in a target are 400 on a socket":
    "node:http refuses them; our handler itself takes them as etcd does",
  "what node:http does not know":
    "methods that are not in its list are 400 and not 405, CONNECT ends the connection, a 100 Continue comes even if the body is not read, HTTP/1.0 is answered as HTTP/1.1",
  "the first request line may be longer than 4096 bytes": "etcd resets the connection",
  "keys and values are text": "what is not UTF-8 is refused with 210; etcd stores any bytes",
  "/0/members/…/attributes is an ordinary key": "etcd takes a write there for its own, and dies",
  "a TTL that ends after April 2262 is none":
    "etcd's 64-bit nanoseconds overflow, in another way for each operation",
  "paths have at most 256 levels": "etcd has no bound",
  "a prevIndex beyond 2^53 is rounded":
    "seen only in the cause of the failed comparison: no index gets there",
} as const;

export interface Asked {
  readonly request: RawRequest;
  /** Its `waitIndex`; 0: from now. */
  readonly since: number;
}

/** Whether node:http hands the request on. */
export function passesNode({ target }: RawRequest): boolean {
  return !/[\x80-\xff]/.test(target);
}

/**
 * The request that etcd has to be asked so that it tells what we tell: a watch from behind those
 * events of its history that only etcd tells.
 */
export function askedOfEtcd(
  request: RawRequest,
  watch: WatchRequest,
  history: readonly StoreEvent[],
): Asked {
  const { key, recursive = false, stream = false, waitIndex = 0 } = watch;
  const isCleared = history.length === 1000 && waitIndex < (history[0]?.node.modifiedIndex ?? 0);
  const since = isCleared ? waitIndex : firstThatBothTell(watch, history);
  if (since === waitIndex) return { request, since };
  const path = key === "/" ? "/" : encodeURIComponent(key);
  const query = `wait=true&recursive=${recursive}&stream=${stream}&waitIndex=${since}`;
  return { request: { method: "GET", target: `/v2/keys${path}?${query}` }, since };
}

function firstThatBothTell(watch: WatchRequest, history: readonly StoreEvent[]): number {
  let since = watch.waitIndex ?? 0;
  if (since === 0) return since;
  for (const event of history) {
    const { modifiedIndex } = event.node;
    if (modifiedIndex < since || event.silent) continue;
    if (!onlyEtcdTells(watch, event)) {
      if (mayTell(watch, event)) return since;
      continue;
    }
    since = modifiedIndex + 1;
  }
  return since;
}

function onlyEtcdTells(watch: WatchRequest, event: StoreEvent): boolean {
  const watched = pathOf(watch.key);
  const { key } = event.node;
  if (watch.recursive && key.startsWith(`${watched}/`)) {
    return key.slice(watched.length).includes("/_");
  }
  const isAbove = `${watched}/`.startsWith(`${key}/`);
  return removesDirectory(event) && watched.startsWith(key) && !isAbove;
}

/** Whether both tell of the event, unless only etcd does. */
function mayTell({ key, recursive }: WatchRequest, event: StoreEvent): boolean {
  const watched = pathOf(key);
  if (event.node.key === watched) return true;
  if (recursive && event.node.key.startsWith(`${watched}/`)) return true;
  return removesDirectory(event) && watched.startsWith(`${event.node.key}/`);
}

function removesDirectory({ action, prevNode }: StoreEvent): boolean {
  return (action === "delete" || action === "expire") && prevNode?.dir === true;
}

function pathOf(key: string): string {
  return key.replace(/\/$/, "");
}

/** Events as etcd should have told them: a stream's removals once. */
export function eventsOfEtcd(lines: readonly string[]): readonly string[] {
  return lines.filter((line, index) => line !== lines[index - 1]);
}
