import { AbortError } from "../errors/abort-error.js";
import { OutcomeUnknownError } from "../errors/cluster-errors.js";
import {
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
  TestFailedError,
} from "../errors/common-errors.js";
import type { LossReason } from "../errors/ownership-lost-error.js";
import type { KeyRequest } from "../model/key-request.js";
import type { EtcdNode } from "../model/node.js";
import { type Moment, momentOf } from "./moment.js";
import type { RecipeClient } from "./recipe-client.js";
import type { Terms } from "./terms.js";

/** What etcd confirmed, and when it was asked to. */
export interface Proof {
  readonly sentAt: Moment;
  readonly node: EtcdNode;
}

/** What to do when the key exists already; see `KeepAliveOptions`. */
export type IfExists = "fail" | "adopt" | "replace";

/** Tries at a write whose outcome stays unknown. */
const TRIES = 5;

/**
 * The requests by which a key with a TTL is owned. Its value proves whose it is: each refresh moves
 * `modifiedIndex`, and one whose answer was lost moves it to where nobody knows.
 */
export class OwnedKey {
  readonly key: string;
  readonly terms: Terms;
  readonly #etcd: RecipeClient;
  #value: string;
  /** A value that the key was to be given, while it is not known whether it was. */
  #next: string | undefined;

  constructor(etcd: RecipeClient, key: string, value: string, terms: Terms) {
    this.#etcd = etcd;
    this.key = key;
    this.#value = value;
    this.terms = terms;
  }

  get value(): string {
    return this.#value;
  }

  /** Makes the key ours. Aborted or failed with an unknown outcome, it is removed again. */
  async claim(ifExists: IfExists, signal?: AbortSignal): Promise<Proof> {
    let unsure = false;
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await this.#tryToClaim(unsure ? "adopt" : ifExists, signal);
        } catch (error) {
          if (error instanceof AbortError) unsure ||= error.outcome === "unknown";
          if (!(error instanceof OutcomeUnknownError)) throw error;
          unsure = true;
          if (tries === TRIES) throw error;
        }
      }
    } catch (error) {
      if (unsure) this.remove().catch(() => {});
      throw error;
    }
  }

  /** @throws what `lossOf` explains, if the key is not ours */
  refresh(signal?: AbortSignal): Promise<Proof> {
    return this.#asOwner((prevValue) => {
      const { ttl } = this.terms;
      const request = { action: "compareAndSwap", refresh: true, ttl, prevValue } as const;
      return this.#send({ ...request, key: this.key }, signal);
    });
  }

  /** Gives the key another value, which proves the ownership from then on, and a fresh TTL. */
  async update(value: string, signal: AbortSignal): Promise<Proof> {
    this.#next = value;
    const proof = await this.#asOwner((prevValue) => {
      const { ttl } = this.terms;
      const request = { action: "compareAndSwap", ttl, value, prevValue } as const;
      return this.#send({ ...request, key: this.key }, signal);
    });
    this.#settle(value);
    return proof;
  }

  /** Deletes the key, if it is ours. */
  async remove(): Promise<void> {
    try {
      await this.#asOwner((prevValue) => {
        const request = { action: "compareAndDelete", key: this.key, prevValue } as const;
        return this.#send(request, undefined);
      });
    } catch (error) {
      if (lossOf(error) === undefined) throw error;
    }
  }

  async #tryToClaim(ifExists: IfExists, signal?: AbortSignal): Promise<Proof> {
    const { key } = this;
    const content = { value: this.#value, ttl: this.terms.ttl };
    if (ifExists === "replace") return this.#send({ action: "set", key, ...content }, signal);
    try {
      return await this.#send({ action: "create", key, ...content }, signal);
    } catch (error) {
      if (ifExists === "fail" || !(error instanceof NodeExistError)) throw error;
      return await this.#adopt(error, signal);
    }
  }

  /** The key exists: with our value it is ours. */
  async #adopt(exists: NodeExistError, signal?: AbortSignal): Promise<Proof> {
    try {
      return await this.refresh(signal);
    } catch (error) {
      if (lossOf(error) === "changed by another") throw exists;
      if (lossOf(error) === "gone") return this.#tryToClaim("adopt", signal);
      throw error;
    }
  }

  async #asOwner(act: (prevValue: string) => Promise<Proof>): Promise<Proof> {
    const next = this.#next;
    try {
      return await act(this.#value);
    } catch (error) {
      if (!(error instanceof TestFailedError) || next === undefined) throw error;
      const proof = await act(next);
      this.#settle(next);
      return proof;
    }
  }

  #settle(value: string): void {
    this.#value = value;
    this.#next = undefined;
  }

  async #send(request: KeyRequest, signal: AbortSignal | undefined): Promise<Proof> {
    const { attemptTimeout } = this.terms;
    const sentAt = momentOf(this.#etcd.clock);
    const { node } = await this.#etcd.execute(request, { signal, attemptTimeout });
    return { sentAt, node };
  }
}

/** What a refused conditional write says about the ownership; nothing if it was not refused. */
export function lossOf(error: unknown): LossReason | undefined {
  if (error instanceof KeyNotFoundError || error instanceof NotDirError) return "gone";
  const changed = error instanceof TestFailedError || error instanceof NotFileError;
  return changed ? "changed by another" : undefined;
}
