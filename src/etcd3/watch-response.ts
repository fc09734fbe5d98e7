import { isObject, type JsonObject } from "../wire/json.js";
import { type KeyValue, readKv } from "./txn-response.js";
import { readHeader, readInt64, type V3Header } from "./v3-json.js";

/** One event of one key. */
export interface KeyChange {
  /** The current key. For a delete, only its name and revision. */
  readonly kv: KeyValue;
  readonly deleted: boolean;
  /** The previous key. Absent if it did not exist or was compacted. */
  readonly prev: KeyValue | undefined;
}

/** One message of a v3 watch. */
export interface WatchResponse {
  readonly header: V3Header;
  /** Whether it is the first message: the watch is open unless `canceled` is set. */
  readonly created: boolean;
  /** etcd's reason for ending the watch. `undefined`: the watch continues. */
  readonly canceled: string | undefined;
  /** Oldest available revision, if a compaction ended the watch; otherwise 0. */
  readonly compactRevision: number;
  /** Whether the next message continues the same revision. */
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
