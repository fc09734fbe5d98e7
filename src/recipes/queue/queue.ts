import { randomUUID } from "node:crypto";
import { AbortError } from "../../errors/abort-error.js";
import { TimeoutError } from "../../errors/cluster-errors.js";
import { KeyNotFoundError, NodeExistError } from "../../errors/common-errors.js";
import type { CallOptions } from "../../key-space/key-space.js";
import { refuseUnknown } from "../../model/option-names.js";
import { checkKey } from "../../model/validate.js";
import { KeepAlive } from "../lease/keep-alive.js";
import { type LeaseSettings, leaseSettingsOf } from "../lease/lease-settings.js";
import { childOf, withoutSlash } from "../shared/key-path.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { retryUntilAvailable } from "../shared/retry-until-available.js";
import { withDeadline } from "../shared/with-deadline.js";
import { QueueItem } from "./queue-item.js";
import { QueueState } from "./queue-state.js";

/** Options of {@link Queue}. */
export interface QueueOptions {
  /**
   * Whole seconds after which an item whose consumer has died is delivered again. While its
   * consumer's process lives, a claim is renewed, however long the work takes.
   *
   * @default 30
   */
  readonly visibilityTimeout?: number;
  /**
   * For people who look at the claims: it stands beside the consumer's id.
   *
   * @default ""
   */
  readonly consumer?: string;
}

/** Options of `take`. */
export interface TakeOptions extends CallOptions {
  /**
   * Milliseconds to wait at most.
   *
   * @default without end
   */
  readonly timeout?: number;
}

/**
 * A queue, first in, first out: each item is delivered at least once, to one consumer at a time
 * unless one is paused for longer than the visibility time-out.
 *
 * Items are in-order keys below `key`. A claim is a key with a TTL in the hidden directory
 * `key/_claims`.
 */
export class Queue implements AsyncDisposable {
  /** The directory of the items, without a trailing slash. */
  readonly key: string;
  readonly #etcd: RecipeClient;
  readonly #settings: LeaseSettings;
  readonly #consumer: string;
  readonly #closing = new AbortController();
  #state: QueueState | undefined;

  /** @throws TypeError for a key or option that makes no sense */
  constructor(etcd: RecipeClient, key: string, options: QueueOptions = {}) {
    checkKey(key);
    refuseUnknown(options, ["visibilityTimeout", "consumer"]);
    const { visibilityTimeout = 30, consumer = "" } = options;
    this.key = withoutSlash(key);
    this.#etcd = etcd;
    this.#settings = leaseSettingsOf({ ttl: visibilityTimeout }, "visibilityTimeout");
    this.#consumer = consumer;
  }

  /**
   * Adds an item at the end and answers its key.
   *
   * @throws OutcomeUnknownError when no answer came: repeated, the item may be there twice
   * @throws NotDirError when a file stands where the queue's directory should be
   */
  async enqueue(value: string, options: CallOptions = {}): Promise<string> {
    refuseUnknown(options, ["signal"]);
    const request = { action: "create", inOrder: true, key: this.key, value } as const;
    const { node } = await this.#etcd.execute(request, options);
    return node.key;
  }

  /**
   * Claims the oldest item that nobody has claimed, and waits while there is none, or no etcd. The
   * first call begins to watch the queue, which goes on until `close()`.
   *
   * @throws TimeoutError when `timeout` has passed
   * @throws AbortError when `signal` aborts, or the queue or the client is closed
   * @throws OwnershipLostError when a claim was answered too late to prove anything
   */
  async take(options: TakeOptions = {}): Promise<QueueItem> {
    refuseUnknown(options, ["timeout", "signal"]);
    const timeoutError = (timeout: number): Error =>
      new TimeoutError(`queue ${this.key}: nothing to take within ${timeout} ms`, timeout);
    const signals = [options.signal, this.#closing.signal, this.#etcd.closed];
    const { timeout } = options;
    const limits = { operation: `take from ${this.key}`, timeout, timeoutError, signals };
    return withDeadline(this.#etcd.clock, limits, (signal) => this.#take(signal));
  }

  /** Ends waiting calls of `take`, and the watches. Items that were taken stay claimed. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the queue was closed"));
    this.#state?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(signal: AbortSignal): Promise<QueueItem> {
    // Once: what ends the watches ends this call, and a later one begins anew.
    let backlog: QueueState | undefined;
    for (;;) {
      if (signal.aborted) throw new AbortError(`take from ${this.key}`, signal.reason, "none");
      backlog ??= this.#openState();
      const name = backlog.reserve();
      if (name === undefined) await backlog.change(signal);
      else {
        const item = await this.#claim(name, backlog, signal);
        if (item !== undefined) return item;
      }
    }
  }

  #openState(): QueueState {
    if (this.#state?.isOpen !== true) {
      this.#state = new QueueState(this.#etcd, this.key, this.#claims);
    }
    return this.#state;
  }

  get #claims(): string {
    return childOf(this.key, "_claims");
  }

  /** Nothing when another has the item, or it is done with. */
  async #claim(
    name: string,
    backlog: QueueState,
    signal: AbortSignal,
  ): Promise<QueueItem | undefined> {
    const tryToClaim = async (): Promise<QueueItem | undefined> => {
      const value = `${randomUUID()} ${this.#consumer}`;
      const options = { ttl: this.#settings.ttl, signal };
      const claim = await KeepAlive.create(this.#etcd, childOf(this.#claims, name), value, options);
      return await this.#read(name, claim, backlog, signal);
    };
    try {
      return await retryUntilAvailable(tryToClaim, this.#etcd.clock, signal);
    } catch (error) {
      // Whose claim it is, and when it ends, is what the watch tells.
      if (error instanceof NodeExistError) return undefined;
      backlog.free(name);
      throw error;
    }
  }

  /** The claim may have come after the item was acknowledged. */
  async #read(
    name: string,
    claim: KeepAlive,
    backlog: QueueState,
    signal: AbortSignal,
  ): Promise<QueueItem | undefined> {
    const value = await this.#valueOf(name, signal).catch((error) => {
      void claim.close().catch(() => {});
      throw error;
    });
    if (value !== undefined)
      return new QueueItem(this.#etcd, childOf(this.key, name), value, claim);
    backlog.forget(name);
    await claim.close();
    return undefined;
  }

  async #valueOf(name: string, signal: AbortSignal): Promise<string | undefined> {
    const request = { action: "get", key: childOf(this.key, name), quorum: true } as const;
    try {
      const { attemptTimeout } = this.#settings;
      return (await this.#etcd.execute(request, { signal, attemptTimeout })).node.value;
    } catch (error) {
      if (error instanceof KeyNotFoundError) return undefined;
      throw error;
    }
  }
}
