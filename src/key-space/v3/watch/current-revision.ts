import { AbortError } from "../../../errors/abort-error.js";
import type { V3Api, V3Call, V3Response } from "../../../etcd3/v3-api.js";
import { readHeader, type V3Header } from "../../../etcd3/v3-json.js";
import { abortable } from "../../../stream/unless-aborted.js";

/** How far the store is, by the agreement of its members. */
export interface Freshness extends V3Header {
  /** URL of the endpoint that answered. */
  readonly endpoint: string;
}

/**
 * Learns how far the store is. However many ask, one read is under way at a time; who asks
 * meanwhile shares the next one, so that each learns of everything that happened before it asked.
 */
export class CurrentRevision {
  readonly #api: V3Api;
  readonly #read: object;
  #current: Promise<Freshness> | undefined;
  #next: Promise<Freshness> | undefined;

  /** `key`, in base64, is one that the user may read, whether or not it exists. */
  constructor(api: V3Api, key: string) {
    this.#api = api;
    this.#read = { key, keys_only: true };
  }

  /** @throws what the call throws; AbortError */
  get(operation: string, signal: AbortSignal | undefined): Promise<Freshness> {
    const errorOf = (reason: unknown): Error => new AbortError(operation, reason, "none");
    return abortable(this.#shared(), signal, errorOf);
  }

  #shared(): Promise<Freshness> {
    if (this.#current === undefined) return this.#ask();
    this.#next ??= this.#current.then(
      () => this.#ask(),
      () => this.#ask(),
    );
    return this.#next;
  }

  #ask(): Promise<Freshness> {
    this.#next = undefined;
    const asked = this.#api.call("kv/range", this.#read, CALL).then(freshnessOf);
    this.#current = asked;
    const done = (): void => {
      if (this.#current === asked) this.#current = undefined;
    };
    asked.then(done, done);
    return asked;
  }
}

const CALL: V3Call = { operation: "GET /", key: "/", safety: "read", scope: "quorum" };

function freshnessOf({ body, endpoint }: V3Response): Freshness {
  return { ...readHeader(body), endpoint };
}
