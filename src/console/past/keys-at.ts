import { ResponseTooLargeError } from "../../errors/cluster-errors.js";
import { refusalReasonOf } from "../../etcd3/error-messages.js";
import { type KeyValue, type RangeRequest, RPC } from "../../etcd3/rpcs.js";
import type { KeyRange } from "../../etcd3/transaction.js";
import type { V3Call } from "../../etcd3/v3-api.js";
import { keyAfter } from "../../key-space/v3/read/page-reader.js";
import { ConsoleError } from "../http/json-exchange.js";
import type { Session } from "../http/sessions.js";
import type { V3Store } from "../http/v3-store.js";

/** Keys of a directory, with everything below it, that are compared and put back. */
const MAX_KEYS = 10_000;

/** The keys of a directory at a revision, with the revision of the last change of each. */
export interface KeysAt {
  readonly revision: number;
  readonly keys: ReadonlyMap<string, number>;
}

/** Keys of a page of values. The sizes of values are not known before. */
const FIRST_PAGE_KEYS = 16;
const MAX_PAGE_KEYS = 1_024;
/** Bytes of values for which a page grows, or has been too large. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** @throws ConsoleError for a cluster whose v2 API is used */
export function v3StoreOf(session: Session): V3Store {
  const store = session.v3Store();
  if (store === undefined)
    throw new ConsoleError(409, "etcd keeps past values only with the v3 API");
  return store;
}

/** A directory of a session, in etcd. Hidden keys are part of it, since the keys themselves are read. */
export class PastDirectoryReader {
  readonly #store: V3Store;
  readonly #prefix: string;
  readonly #path: string;
  readonly #call: V3Call;

  /** @throws ConsoleError for a cluster whose v2 API is used */
  constructor(session: Session, key: string, signal: AbortSignal) {
    this.#store = v3StoreOf(session);
    this.#prefix = session.prefix;
    this.#path = `${session.prefix}${key === "/" ? "" : key}`;
    const operation = `the past of ${key}`;
    this.#call = { operation, key, safety: "read", scope: "quorum", signal };
  }

  get range(): KeyRange {
    return this.#store.schema.filesBelow(this.#path);
  }

  get call(): V3Call {
    return this.#call;
  }

  /** The key of the page; `undefined` for one that the v2 key space does not have. */
  keyOf(name: Buffer): string | undefined {
    const decoded = this.#store.schema.decode(name);
    return decoded?.kind === "file" ? decoded.path.slice(this.#prefix.length) : undefined;
  }

  /** Whether there is a key now, and the revision of etcd. */
  async present(): Promise<{ readonly hasKeys: boolean; readonly revision: number }> {
    const request = { ...this.range, keys_only: true, limit: 1 };
    const { message, header } = await this.#range(request, 0);
    return { hasKeys: message.kvs.length > 0, revision: header.revision };
  }

  /** @param revision 0: the present one @throws ConsoleError when etcd has compacted it, or there are too many keys */
  async keysAt(revision: number): Promise<KeysAt> {
    const request = { ...this.range, keys_only: true, limit: MAX_KEYS + 1 };
    const { message, header } = await this.#range(request, revision);
    if (message.kvs.length > MAX_KEYS) {
      const limit = MAX_KEYS.toLocaleString("en");
      throw new ConsoleError(413, `more than ${limit} keys; choose a directory below this one`);
    }
    const keys = new Map<string, number>();
    for (const { key, mod_revision } of message.kvs) {
      const name = this.keyOf(key);
      if (name !== undefined) keys.set(name, mod_revision);
    }
    return { revision: revision === 0 ? header.revision : revision, keys };
  }

  /** The keys with their values. A listing without values does not say which keys have a lease: etcd 3.7 omits it. */
  async *entriesAt(
    revision: number,
  ): AsyncGenerator<readonly [string, KeyValue], undefined, undefined> {
    let { key } = this.range;
    let limit = FIRST_PAGE_KEYS;
    for (;;) {
      const page = await this.#page({ ...this.range, key, limit }, revision);
      if (page === undefined) {
        limit = Math.floor(limit / 4);
        continue;
      }
      const { message } = page;
      let bytes = 0;
      for (const kv of message.kvs) {
        bytes += kv.value.length;
        const name = this.keyOf(kv.key);
        if (name !== undefined) yield [name, kv];
      }
      const last = message.kvs.at(-1);
      if (!message.more || last === undefined) return undefined;
      key = keyAfter(last.key);
      const size = bytes < PAGE_BYTES ? limit * 2 : limit / 4;
      limit = Math.min(MAX_PAGE_KEYS, Math.max(1, Math.floor(size)));
    }
  }

  /** `undefined`: its values are too large for one response. */
  async #page(request: RangeRequest & { readonly limit: number }, revision: number) {
    try {
      return await this.#range(request, revision);
    } catch (error) {
      if (!(error instanceof ResponseTooLargeError) || request.limit < 4) throw error;
      return undefined;
    }
  }

  /** A key with its value; `undefined`: it did not exist. */
  async entryAt(key: string, revision: number): Promise<KeyValue | undefined> {
    const name = this.#store.schema.file(`${this.#prefix}${key}`);
    return (await this.#range({ key: name }, revision)).message.kvs[0];
  }

  async #range(request: RangeRequest, revision: number) {
    try {
      return await this.#store.api.call(RPC.range, { ...request, revision }, this.#call);
    } catch (error) {
      throw compactedError(error, revision);
    }
  }
}

/** Says what a refusal means for the operator. */
function compactedError(error: unknown, revision: number): unknown {
  const reason = refusalReasonOf(error);
  if (reason === "compacted")
    return new ConsoleError(410, `etcd has compacted revision ${revision}: it is gone`);
  if (reason === "future-revision")
    return new ConsoleError(400, `etcd has no revision ${revision} yet`);
  return error;
}
