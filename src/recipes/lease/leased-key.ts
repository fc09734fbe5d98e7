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
import type { EtcdNode } from "../../model/node.js";
import type { EtcdResponse } from "../../model/response.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { isOutcomeUncertain } from "../shared/transient-failure.js";
import type { IfExists } from "./keep-alive-options.js";
import type { LeaseSettings } from "./lease-settings.js";
import { type Timestamp, timestampOf } from "./timestamp.js";

/** What etcd confirmed, and when it was asked to. */
export interface RenewalProof {
  readonly sentAt: Timestamp;
  readonly node: EtcdNode;
}

/** What a key is given, besides its condition. */
type Content = { readonly ttl: number } & ({ readonly refresh: true } | { readonly value: string });

/** Tries at a write whose outcome stays unknown. */
const TRIES = 5;

/**
 * The requests by which a key with a TTL is owned. Its value proves whose it is.
 *
 * Each renewal also names the index that the one before it left: one whose answer was lost, and which
 * a member carries out late, would set the key's expiry back to what was counted when it was sent.
 * Where the index is not known, because an answer was lost, it is read.
 */
export class LeasedKey {
  readonly key: string;
  readonly settings: LeaseSettings;
  readonly #etcd: RecipeClient;
  #value: string;
  /** A value that the key was to be given, while it is not known whether it was. */
  #next: string | undefined;
  /** `modifiedIndex` of our last write; undefined when it is not known. */
  #index: number | undefined;
  /** Whether the key may be ours by a request whose answer was lost. */
  #isUnsure = false;

  constructor(etcd: RecipeClient, key: string, value: string, settings: LeaseSettings) {
    this.#etcd = etcd;
    this.key = key;
    this.#value = value;
    this.settings = settings;
  }

  get value(): string {
    return this.#value;
  }

  /** Makes the key ours. Aborted or failed with an unknown outcome, it is removed again. */
  async claim(ifExists: IfExists, signal?: AbortSignal): Promise<RenewalProof> {
    try {
      return await this.#tryToClaim(ifExists, signal);
    } catch (error) {
      if (this.#isUnsure) this.remove().catch(() => {});
      throw error;
    }
  }

  /**
   * Makes the key ours once more. What may have come of a try that failed is left to the next one: to
   * remove it could strike, by being late, what the next one has made.
   */
  reclaim(signal: AbortSignal): Promise<RenewalProof> {
    return this.#tryToClaim("adopt", signal);
  }

  /** @throws what `lossOf` explains, if the key is not ours */
  refresh(signal?: AbortSignal): Promise<RenewalProof> {
    return this.#swap({ refresh: true, ttl: this.settings.ttl }, signal);
  }

  /** Gives the key another value, which proves the ownership from then on, and a fresh TTL. */
  async update(value: string, signal: AbortSignal): Promise<RenewalProof> {
    this.#next = value;
    const proof = await this.#swap({ value, ttl: this.settings.ttl }, signal);
    this.#settle(value);
    return proof;
  }

  /** Deletes the key, if it is ours. */
  async remove(): Promise<void> {
    for (const prevValue of [this.#value, this.#next]) {
      if (prevValue === undefined) return;
      try {
        const request = { action: "compareAndDelete", key: this.key, prevValue } as const;
        await this.#execute(request, undefined);
        return;
      } catch (error) {
        if (lossOf(error) === undefined) throw error;
      }
    }
  }

  async #tryToClaim(ifExists: IfExists, signal: AbortSignal | undefined): Promise<RenewalProof> {
    for (let tries = 1; ; tries++) {
      try {
        if (ifExists === "replace") return await this.#replace(signal);
        return await this.#create(this.#isUnsure || ifExists === "adopt", signal);
      } catch (error) {
        this.#isUnsure ||= isOutcomeUncertain(error);
        if (!(error instanceof OutcomeUnknownError) || tries === TRIES) throw error;
      }
    }
  }

  async #create(adopts: boolean, signal: AbortSignal | undefined): Promise<RenewalProof> {
    const { key } = this;
    const content = { value: this.#value, ttl: this.settings.ttl };
    try {
      return await this.#send({ action: "create", key, ...content }, signal);
    } catch (error) {
      if (!adopts || !(error instanceof NodeExistError)) throw error;
      return await this.#adopt(error, signal);
    }
  }

  /** On what there is: a plain set whose answer was lost could come later, and once more. */
  async #replace(signal: AbortSignal | undefined): Promise<RenewalProof> {
    const { key } = this;
    const content = { value: this.#value, ttl: this.settings.ttl };
    for (let tries = 1; ; tries++) {
      try {
        const prevIndex = await this.#indexOfAny(signal);
        if (prevIndex === undefined) return await this.#create(false, signal);
        const request = { action: "compareAndSwap", key, prevIndex, ...content } as const;
        return await this.#send(request, signal);
      } catch (error) {
        const raced = error instanceof TestFailedError || error instanceof NodeExistError;
        if (!raced || tries === TRIES) throw error;
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

  /** The key exists: with our value it is ours. */
  async #adopt(exists: NodeExistError, signal: AbortSignal | undefined): Promise<RenewalProof> {
    try {
      return await this.refresh(signal);
    } catch (error) {
      if (lossOf(error) === "taken-over") throw exists;
      if (lossOf(error) === "gone") return this.#create(true, signal);
      throw error;
    }
  }

  async #swap(content: Content, signal: AbortSignal | undefined): Promise<RenewalProof> {
    for (let tries = 1; ; tries++) {
      const prevIndex = this.#index ?? (await this.#readIndex(signal));
      const condition = { prevValue: this.#value, prevIndex };
      try {
        const { key } = this;
        return await this.#send(
          { action: "compareAndSwap", key, ...condition, ...content },
          signal,
        );
      } catch (error) {
        // A write of ours whose answer was lost may have moved the index.
        if (error instanceof TestFailedError) this.#index = undefined;
        if (!(error instanceof TestFailedError) || tries === TRIES) throw error;
      }
    }
  }

  /** @throws OwnershipLostError when the value is not ours */
  async #readIndex(signal: AbortSignal | undefined): Promise<number> {
    const { key } = this;
    const { node } = await this.#execute({ action: "get", key, quorum: true }, signal);
    if (node.value !== undefined && node.value === this.#next) this.#settle(node.value);
    if (node.value === this.#value) return node.modifiedIndex;
    throw new OwnershipLostError(key, "taken-over", "another client changed its value");
  }

  #settle(value: string): void {
    this.#value = value;
    this.#next = undefined;
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

/** What a refused conditional write says about the ownership; nothing if it was not refused. */
export function lossOf(error: unknown): LossReason | undefined {
  if (error instanceof OwnershipLostError) return error.reason;
  if (error instanceof KeyNotFoundError || error instanceof NotDirError) return "gone";
  const changed = error instanceof TestFailedError || error instanceof NotFileError;
  return changed ? "taken-over" : undefined;
}
