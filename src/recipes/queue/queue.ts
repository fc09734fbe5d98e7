import { randomUUID } from "node:crypto";
import { AbortError } from "../../errors/abort-error.js";
import { TimeoutError } from "../../errors/cluster-errors.js";
import { KeyNotFoundError, NodeExistError } from "../../errors/common-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
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
   * Whole seconds after which an item is delivered again if its consumer has died. A live consumer
   * renews its claim, however long the work takes.
   *
   * @default 30
   */
  readonly visibilityTimeout?: number | undefined;
  /**
   * A name for people who inspect the claims. The value of a claim is a random id and this text.
   *
   * @default ""
   */
  readonly consumer?: string | undefined;
}

/** Options of `take`. */
export interface TakeOptions extends CallOptions {
  /**
   * Maximum milliseconds to wait.
   *
   * @default no limit
   */
  readonly timeout?: number | undefined;
}

/**
 * A first-in, first-out queue. Each item is delivered at least once. Only one consumer has an item at
 * a time, unless a consumer is paused for longer than the visibility timeout.
 *
 * Items are in-order keys below `key`. A claim is a key with a TTL in the hidden directory
 * `key/_claims`.
 *
 * @example
 * const queue = etcd.queue("/jobs");
 * await queue.enqueue("report 7");
 * const item = await queue.take();
 * console.log(item.value);
 * await item.acknowledge();
 */
export class Queue implements AsyncDisposable {
  /** The directory of the items, without a trailing slash. */
  readonly key: string;
  readonly #etcd: RecipeClient;
  readonly #settings: LeaseSettings;
  readonly #consumer: string;
  readonly #closing = new AbortController();
  #state: QueueState | undefined;

  /** @throws TypeError for an invalid key or option */
  constructor(etcd: RecipeClient, key: string, options: QueueOptions = {}) {
    checkKey(key);
    refuseUnknown(options, { visibilityTimeout: true, consumer: true });
    const { visibilityTimeout = 30, consumer = "" } = options;
    this.key = withoutSlash(key);
    this.#etcd = etcd;
    this.#settings = leaseSettingsOf({ ttl: visibilityTimeout }, "visibilityTimeout");
    this.#consumer = consumer;
  }

  /**
   * Adds an item at the end and returns its key.
   *
   * @throws OutcomeUnknownError when the response was lost; a repeated call may add the item twice
   * @throws NotDirError when `key` or a parent of it is a file
   */
  async enqueue(value: string, options: CallOptions = {}): Promise<string> {
    refuseUnknown(options, { signal: true });
    const request = { action: "create", inOrder: true, key: this.key, value } as const;
    const { node } = await this.#etcd.execute(request, options);
    return node.key;
  }

  /**
   * Claims the oldest item without a claim. Waits while there is none, and while etcd is unavailable.
   * The first call starts to watch the queue, until `close()`.
   *
   * @throws TimeoutError when `timeout` has passed
   * @throws AbortError when `signal` aborts, or the queue or the client is closed
   * @throws OwnershipLostError when the response to a claim came too late to prove the claim
   */
  async take(options: TakeOptions = {}): Promise<QueueItem> {
    refuseUnknown(options, { timeout: true, signal: true });
    const timeoutError = (timeout: number): Error =>
      new TimeoutError(`queue ${this.key}: nothing to take within ${timeout} ms`, timeout);
    const signals = [options.signal, this.#closing.signal, this.#etcd.closed];
    const { timeout } = options;
    const limits = { operation: `take from ${this.key}`, timeout, timeoutError, signals };
    return withDeadline(this.#etcd.clock, limits, (signal) => this.#take(signal));
  }

  /** Ends pending calls of `take`, and the watches. Items that were taken stay claimed. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the queue was closed"));
    this.#state?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(signal: AbortSignal): Promise<QueueItem> {
    // Opened once: a failure of the watches ends this call, and the next call opens new watches.
    let state: QueueState | undefined;
    for (;;) {
      if (signal.aborted) throw new AbortError(`take from ${this.key}`, signal.reason, "none");
      state ??= this.#openState();
      const name = state.reserve();
      if (name === undefined) await state.nextChange(signal);
      else {
        const item = await this.#claim(name, state, signal);
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

  /** Returns `undefined` when another consumer has the item, or when it no longer exists. */
  async #claim(
    name: string,
    state: QueueState,
    signal: AbortSignal,
  ): Promise<QueueItem | undefined> {
    const tryToClaim = async (): Promise<QueueItem | undefined> => {
      const value = `${randomUUID()} ${this.#consumer}`;
      const options = { ttl: this.#settings.ttl, signal };
      const claim = await KeepAlive.create(this.#etcd, childOf(this.#claims, name), value, options);
      return await this.#read(name, claim, state, signal);
    };
    try {
      return await retryUntilAvailable(tryToClaim, this.#etcd.clock, signal);
    } catch (error) {
      // The watch delivers the other consumer's claim, and later its end.
      if (error instanceof NodeExistError) return undefined;
      state.unreserve(name);
      throw error;
    }
  }

  /** Reads the item after the claim, because it may have been acknowledged before. */
  async #read(
    name: string,
    claim: KeepAlive,
    state: QueueState,
    signal: AbortSignal,
  ): Promise<QueueItem | undefined> {
    const value = await this.#valueOf(name, signal).catch((error) => {
      void claim.close().catch(() => {});
      throw error;
    });
    if (value !== undefined)
      return new QueueItem(this.#etcd, childOf(this.key, name), value, claim);
    state.remove(name);
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
