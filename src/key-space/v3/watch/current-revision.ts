import { AbortError } from "../../../errors/abort-error.js";
import { type RangeRequest, type ResponseHeader, RPC } from "../../../etcd3/rpcs.js";
import type { Bytes } from "../../../etcd3/transaction.js";
import type { V3Api, V3Call } from "../../../etcd3/v3-api.js";
import { abortable } from "../../../stream/abortable.js";

/** The current revision of the store, from a linearizable read. */
export interface StoreHead {
  readonly header: ResponseHeader;
  /** URL of the responding endpoint. */
  readonly endpoint: string;
}

/**
 * Reads the current revision. One read runs at a time. Callers that arrive while it runs share the
 * next one, so that every caller sees everything that happened before its call.
 */
export class CurrentRevision {
  readonly #api: V3Api;
  readonly #read: RangeRequest;
  #current: Promise<StoreHead> | undefined;
  #next: Promise<StoreHead> | undefined;

  /** `key`: a key that the user may read; it need not exist. */
  constructor(api: V3Api, key: Bytes) {
    this.#api = api;
    this.#read = { key, keys_only: true };
  }

  /** @throws AbortError, and the errors of the call */
  get(operation: string, signal: AbortSignal | undefined): Promise<StoreHead> {
    const errorOf = (reason: unknown): Error => new AbortError(operation, reason, "none");
    return abortable(this.#shared(), signal, errorOf);
  }

  #shared(): Promise<StoreHead> {
    if (this.#current === undefined) return this.#send();
    this.#next ??= this.#current.then(
      () => this.#send(),
      () => this.#send(),
    );
    return this.#next;
  }

  #send(): Promise<StoreHead> {
    this.#next = undefined;
    const pending = this.#api.call(RPC.range, this.#read, CALL);
    this.#current = pending;
    const done = (): void => {
      if (this.#current === pending) this.#current = undefined;
    };
    pending.then(done, done);
    return pending;
  }
}

const CALL: V3Call = { operation: "GET /", key: "/", safety: "read", scope: "quorum" };
