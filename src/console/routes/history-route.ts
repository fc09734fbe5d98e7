import { isUtf8 } from "node:buffer";
import { RPC } from "../../etcd3/rpcs.js";
import type { V3Call } from "../../etcd3/v3-api.js";
import { keyIn } from "../http/json-exchange.js";
import type { KeyHistory, PastValue } from "../model/page-types.js";
import { v3StoreOf } from "../past/keys-at.js";
import { type PastEvent, readEvents } from "../past/read-events.js";
import type { ConsoleRequest } from "./route.js";

/** The newest ones. */
const MAX_REVISIONS = 200;
/** Characters of values in one answer. */
const MAX_CHARS = 4 * 1024 * 1024;

/** The values that a key has had, from the revisions that etcd keeps; v2 keeps none. */
export async function showHistory({ session, query, signal }: ConsoleRequest): Promise<KeyHistory> {
  const { api, schema } = v3StoreOf(session);
  const key = keyIn(query);
  const call: V3Call = {
    ...{ operation: `history of ${key}`, key, safety: "read", scope: "quorum", signal },
  };
  const name = schema.file(key === "/" ? "" : `${session.prefix}${key}`);
  const { message, header } = await api.call(RPC.range, { key: name, keys_only: true }, call);
  const values = new NewestValues();
  const wanted = {
    ...{ pick: (event: PastEvent) => values.kept(pastValueOf(event)), keep: MAX_REVISIONS },
    ...{ hasChanged: message.kvs.length > 0, revision: header.revision },
  };
  const range = { key: name, range_end: "" };
  const { found, compacted, isComplete } = await readEvents(api, range, wanted, call);
  return { past: found.toReversed(), compacted, isComplete };
}

function pastValueOf({ type, kv }: PastEvent): PastValue {
  const revision = kv?.mod_revision ?? 0;
  if (type === "DELETE" || kv === undefined) return { revision, isRemoval: true };
  const { value } = kv;
  const bytes = isUtf8(value) ? undefined : value.toString("base64");
  return { revision, isRemoval: false, value: value.toString(), ...(bytes && { bytes }) };
}

/** Removes the values of the oldest ones, as soon as all of them are too large for one answer. */
class NewestValues {
  readonly #withValue: Writable[] = [];
  #chars = 0;

  kept(past: PastValue): PastValue {
    const kept: Writable = { ...past };
    if (kept.value === undefined) return kept;
    this.#chars += kept.value.length;
    this.#withValue.push(kept);
    while (this.#chars > MAX_CHARS || this.#withValue.length > MAX_REVISIONS) {
      const oldest = this.#withValue.shift();
      if (oldest === undefined) break;
      this.#chars -= oldest.value?.length ?? 0;
      delete oldest.value;
      delete oldest.bytes;
    }
    return kept;
  }
}

type Writable = { -readonly [Name in keyof PastValue]: PastValue[Name] };
