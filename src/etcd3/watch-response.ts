import { isObject, type JsonObject } from "../wire/json.js";
import { type KeyValue, readKv } from "./transaction-answer.js";
import { readHeader, readInt64, type V3Header } from "./v3-json.js";

/** One change of one key. */
export interface KeyChange {
  /** The key as it is now; of a deleted one, its name and the revision alone. */
  readonly kv: KeyValue;
  readonly deleted: boolean;
  /** The key as it was; absent if it was not there, or was compacted meanwhile. */
  readonly prev: KeyValue | undefined;
}

/** One message of a v3 watch. */
export interface WatchResponse {
  readonly header: V3Header;
  /** Whether it is the first: the watch stands, unless it is canceled as well. */
  readonly created: boolean;
  /** Why etcd ended the watch; `undefined` while it goes on. */
  readonly canceled: string | undefined;
  /** Oldest revision that is still held, where that is why the watch was ended; else 0. */
  readonly compactRevision: number;
  /** Whether the same revision goes on in the next message. */
  readonly fragment: boolean;
  readonly changes: readonly KeyChange[];
}

/** @throws ProtocolError */
export function readWatchResponse(body: JsonObject): WatchResponse {
  const { created, canceled, cancel_reason: reason, compact_revision, fragment, events } = body;
  return {
    header: readHeader(body),
    created: created === true,
    canceled: canceled === true ? String(reason ?? "") : undefined,
    compactRevision: readInt64(compact_revision, "compact_revision"),
    fragment: fragment === true,
    changes: Array.isArray(events) ? events.filter(isObject).map(readChange) : [],
  };
}

function readChange({ type, kv, prev_kv }: JsonObject): KeyChange {
  return {
    kv: readKv(isObject(kv) ? kv : {}),
    deleted: type === "DELETE",
    prev: isObject(prev_kv) ? readKv(prev_kv) : undefined,
  };
}
