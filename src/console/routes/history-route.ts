import { RPC, type WatchResponse } from "../../etcd3/rpcs.js";
import type { V3Call, V3Stream } from "../../etcd3/v3-api.js";
import { ConsoleError, keyIn } from "../http/json-exchange.js";
import type { V3Store } from "../http/v3-store.js";
import type { KeyHistory, PastValue } from "../model/page-types.js";
import type { ConsoleRequest } from "./route.js";

/** The newest ones. */
const MAX_REVISIONS = 200;
/** Characters of values in one answer. */
const MAX_CHARS = 4 * 1024 * 1024;
/** A key that does not exist has no last revision that the end of its history could be known by. */
const SILENCE_MS = 2_000;

type WatchedEvent = WatchResponse["events"][number];

/** What is known about the revisions of a key. */
interface Found {
  readonly events: readonly WatchedEvent[];
  /** First revision that etcd still has; 0: all of them. */
  readonly compacted: number;
  readonly isCertain: boolean;
}

/** The values that a key has had, from the revisions that etcd keeps; v2 keeps none. */
export async function showHistory({ session, query, signal }: ConsoleRequest): Promise<KeyHistory> {
  const store = session.v3Store();
  if (store === undefined)
    throw new ConsoleError(409, "etcd keeps past values only with the v3 API");
  const key = keyIn(query);
  const call: V3Call = {
    ...{ operation: `history of ${key}`, key, safety: "read", scope: "quorum", signal },
  };
  const name = store.schema.file(key === "/" ? "" : `${session.prefix}${key}`);
  const { events, compacted, isCertain } = await eventsOf(store, name, call);
  const past = events.slice(-MAX_REVISIONS).reverse().map(pastValueOf);
  return {
    past: withinSize(past),
    compacted,
    isComplete: isCertain && events.length <= MAX_REVISIONS,
  };
}

/** The changes of a key, through a watch from the first revision that etcd has not compacted. */
async function eventsOf({ api }: V3Store, name: string, call: V3Call): Promise<Found> {
  const { message } = await api.call(RPC.range, { key: name, keys_only: true }, call);
  const [now] = message.kvs;
  const last = now?.mod_revision ?? 0;
  for (let from = 1; ; ) {
    const request = { key: name, range_end: "", start_revision: from };
    const options = { prev_kv: false, fragment: false, progress_notify: false };
    const stream = await api.watch({ ...request, ...options }, call);
    try {
      const found = await readUntil(stream, last);
      if (typeof found !== "number") {
        return { ...found, compacted: from === 1 ? 0 : from };
      }
      from = found;
    } finally {
      stream.close();
    }
  }
}

/** Reads up to a revision; 0: until etcd is silent. @returns the first revision that etcd has, if it has compacted others */
async function readUntil(
  stream: V3Stream,
  last: number,
): Promise<Omit<Found, "compacted"> | number> {
  const events: WatchedEvent[] = [];
  for (;;) {
    const timeout = setTimeout(() => stream.close(), last > 0 ? 10 * SILENCE_MS : SILENCE_MS);
    const response = await stream.next().finally(() => clearTimeout(timeout));
    if (response === undefined) return { events, isCertain: false };
    if (response.compact_revision > 0) return response.compact_revision;
    events.push(...response.events);
    const isAtEnd = (events.at(-1)?.kv?.mod_revision ?? 0) >= last;
    if (last > 0 && isAtEnd) return { events, isCertain: true };
  }
}

function pastValueOf({ type, kv }: WatchedEvent): PastValue {
  const revision = kv?.mod_revision ?? 0;
  if (type === "DELETE" || kv === undefined) return { revision, isRemoval: true };
  return { revision, isRemoval: false, value: kv.value.toString() };
}

/** Without the values of the oldest ones, if all of them are too large for one answer. */
function withinSize(past: readonly PastValue[]): readonly PastValue[] {
  let chars = 0;
  return past.map((each) => {
    chars += each.value?.length ?? 0;
    if (chars <= MAX_CHARS) return each;
    const { value: _, ...rest } = each;
    return rest;
  });
}
