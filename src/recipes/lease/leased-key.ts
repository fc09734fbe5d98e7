import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import {
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
  TestFailedError,
} from "../../errors/common-errors.js";
import { type LossReason, OwnershipLostError } from "../../errors/ownership-lost-error.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { AnyNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { isOutcomeUncertain } from "../shared/transient-failure.js";
import type { IfExists } from "./keep-alive-options.js";
import type { LeaseSettings } from "./lease-settings.js";
import { type Timestamp, timestampOf } from "./timestamp.js";

/** The node that etcd confirmed, and when the request was sent. */
export interface RenewalProof {
  readonly sentAt: Timestamp;
  readonly node: AnyNode;
}

/** The new content of a key in a conditional write. */
type Content = { readonly ttl: number } & ({ readonly refresh: true } | { readonly value: string });

/** Attempts at a write while its outcome is unknown, or while other writes interfere. */
const MAX_ATTEMPTS = 5;

/**
 * The requests that claim, renew, change and remove a key with a TTL. Its value identifies the owner.
 *
 * Each renewal also compares the index of the previous write. Otherwise a member could process an
 * old renewal late, after its response was lost, and set the expiration back. When the index is
 * unknown because a response was lost, it is read.
 */
export class LeasedKey {
  readonly key: string;
  readonly settings: LeaseSettings;
  readonly #etcd: RecipeClient;
  #value: string;
  /** The value of an `update` whose outcome is unknown. */
  #pendingValue: string | undefined;
  /** `modifiedIndex` of the last own write; `undefined` when it is unknown. */
  #index: number | undefined;
  /** Whether a request whose response was lost may have claimed the key. */
  #mayBeOwned = false;

  /** `index`: `modifiedIndex` of the key, if this owner has just written it. */
  constructor(
    etcd: RecipeClient,
    key: string,
    value: string,
    settings: LeaseSettings,
    index?: number,
  ) {
    this.#etcd = etcd;
    this.#index = index;
    this.key = key;
    this.#value = value;
    this.settings = settings;
  }

  get value(): string {
    return this.#value;
  }

  /** Claims the key. If this is aborted or fails with an unknown outcome, the key is removed. */
  async claim(ifExists: IfExists, signal?: AbortSignal): Promise<RenewalProof> {
    try {
      return await this.#tryToClaim(ifExists, signal);
    } catch (error) {
      if (this.#mayBeOwned) this.remove().catch(() => {});
      throw error;
    }
  }

  /**
   * Claims the key again. A failed attempt removes nothing: its late removal could delete the key
   * that the next attempt has created.
   */
  reclaim(signal: AbortSignal): Promise<RenewalProof> {
    return this.#tryToClaim("adopt", signal);
  }

  /** Resets the TTL. @throws an error with a `lossReasonOf` when the key is not owned */
  refresh(signal?: AbortSignal): Promise<RenewalProof> {
    return this.#compareAndSwap({ refresh: true, ttl: this.settings.ttl }, signal);
  }

  /** Sets another value, which then identifies the owner, and resets the TTL. */
  async update(value: string, signal: AbortSignal): Promise<RenewalProof> {
    this.#pendingValue = value;
    const proof = await this.#compareAndSwap({ value, ttl: this.settings.ttl }, signal);
    this.#confirmValue(value);
    return proof;
  }

  /** Deletes the key if it is owned. */
  async remove(): Promise<void> {
    for (const prevValue of [this.#value, this.#pendingValue]) {
      if (prevValue === undefined) return;
      try {
        const request = { action: "compareAndDelete", key: this.key, prevValue } as const;
        await this.#execute(request, undefined);
        return;
      } catch (error) {
        if (lossReasonOf(error) === undefined) throw error;
      }
    }
  }

  async #tryToClaim(ifExists: IfExists, signal: AbortSignal | undefined): Promise<RenewalProof> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (ifExists === "replace") return await this.#replace(signal);
        return await this.#create(this.#mayBeOwned || ifExists === "adopt", signal);
      } catch (error) {
        this.#mayBeOwned ||= isOutcomeUncertain(error);
        if (!(error instanceof OutcomeUnknownError) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #create(mayAdopt: boolean, signal: AbortSignal | undefined): Promise<RenewalProof> {
    const { key } = this;
    const content = { value: this.#value, ttl: this.settings.ttl };
    try {
      return await this.#send({ action: "create", key, ...content }, signal);
    } catch (error) {
      if (!mayAdopt || !(error instanceof NodeExistError)) throw error;
      return await this.#adopt(error, signal);
    }
  }

  /** Compares the index, because a plain `set` whose response was lost could be processed again later. */
  async #replace(signal: AbortSignal | undefined): Promise<RenewalProof> {
    const { key } = this;
    const content = { value: this.#value, ttl: this.settings.ttl };
    for (let attempt = 1; ; attempt++) {
      try {
        const prevIndex = await this.#indexOfAny(signal);
        if (prevIndex === undefined) return await this.#create(false, signal);
        const request = { action: "compareAndSwap", key, prevIndex, ...content } as const;
        return await this.#send(request, signal);
      } catch (error) {
        const raced = error instanceof TestFailedError || error instanceof NodeExistError;
        if (!raced || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  async #indexOfAny(signal: AbortSignal | undefined): Promise<number | undefined> {
    try {
      const request = { action: "get", key: this.key, quorum: true } as const;
      return (await this.#execute(request, signal)).node.modifiedIndex;
    } catch (error) {
      if (error instanceof KeyNotFoundError) return undefined;
      throw error;
    }
  }

  /** Adopts an existing key if it has this owner's value. @throws `exists` otherwise */
  async #adopt(exists: NodeExistError, signal: AbortSignal | undefined): Promise<RenewalProof> {
    try {
      return await this.refresh(signal);
    } catch (error) {
      if (lossReasonOf(error) === "taken-over") throw exists;
      if (lossReasonOf(error) === "gone") return this.#create(true, signal);
      throw error;
    }
  }

  async #compareAndSwap(content: Content, signal: AbortSignal | undefined): Promise<RenewalProof> {
    for (let attempt = 1; ; attempt++) {
      const prevIndex = this.#index ?? (await this.#readIndex(signal));
      const condition = { prevValue: this.#value, prevIndex };
      try {
        const { key } = this;
        return await this.#send(
          { action: "compareAndSwap", key, ...condition, ...content },
          signal,
        );
      } catch (error) {
        // An own write whose response was lost may have changed the index.
        if (error instanceof TestFailedError) this.#index = undefined;
        if (!(error instanceof TestFailedError) || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }

  /** @throws OwnershipLostError when the key has another value */
  async #readIndex(signal: AbortSignal | undefined): Promise<number> {
    const { key } = this;
    const { node } = await this.#execute({ action: "get", key, quorum: true }, signal);
    if (node.value !== undefined && node.value === this.#pendingValue)
      this.#confirmValue(node.value);
    if (node.value === this.#value) return node.modifiedIndex;
    throw new OwnershipLostError(key, "taken-over", "another client changed its value");
  }

  #confirmValue(value: string): void {
    this.#value = value;
    this.#pendingValue = undefined;
  }

  async #send(request: KeyRequest, signal: AbortSignal | undefined): Promise<RenewalProof> {
    const sentAt = timestampOf(this.#etcd.clock);
    const { node } = await this.#execute(request, signal);
    this.#index = node.modifiedIndex;
    return { sentAt, node };
  }

  #execute(request: KeyRequest, signal: AbortSignal | undefined): Promise<EtcdResponse> {
    return this.#etcd.execute(request, { signal, attemptTimeout: this.settings.attemptTimeout });
  }
}

/** Why the ownership is lost, according to the error of a conditional write; `undefined` for other errors. */
export function lossReasonOf(error: unknown): LossReason | undefined {
  if (error instanceof OwnershipLostError) return error.reason;
  if (error instanceof KeyNotFoundError || error instanceof NotDirError) return "gone";
  const changed = error instanceof TestFailedError || error instanceof NotFileError;
  return changed ? "taken-over" : undefined;
}
