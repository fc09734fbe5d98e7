import { EventEmitter } from "node:events";
import { NodeExistError } from "../../errors/common-errors.js";
import { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { offAbort, onAbort } from "../../stream/on-abort.js";
import { BackOff } from "../../time/back-off.js";
import { MAX_TIMER_MS } from "../../time/clock.js";
import { nextTick } from "../../time/event-loop.js";
import { type RetryOptions, retry } from "../../time/retry.js";
import { sleep } from "../../time/sleep.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { isTransient } from "../shared/transient-failure.js";
import {
  checkKeepAliveOptions,
  checkOwnValue,
  type KeepAliveEvents,
  type KeepAliveOptions,
} from "./keep-alive-options.js";
import { leaseSettingsOf } from "./lease-settings.js";
import { LeaseValidity } from "./lease-validity.js";
import { LeasedKey, lossReasonOf, type RenewalProof } from "./leased-key.js";
import { since, timestampOf } from "./timestamp.js";

/**
 * A key with a TTL that this process owns and renews after about a third of its TTL. Watchers do not
 * see the renewals. A renewal succeeds only while the key has the value that this process wrote.
 */
export class KeepAlive extends EventEmitter<KeepAliveEvents> implements AsyncDisposable {
  readonly #etcd: RecipeClient;
  readonly #leasedKey: LeasedKey;
  readonly #recreate: boolean;
  readonly #closing = new AbortController();
  #validity: LeaseValidity;
  #createdIndex: number;
  /** The current renewal or change. One at a time, because each compares the value. */
  #pendingRequest: Promise<unknown> = Promise.resolve();
  /** Calls of `update`. The outcome of one must be known before the next is sent. */
  #updates: Promise<void> = Promise.resolve();
  #running: Promise<void>;
  #closed: Promise<void> | undefined;

  /**
   * Claims the key and keeps it alive.
   *
   * @throws TypeError naming the option; see `EtcdClient.keepAlive`
   * @internal
   */
  static async create(
    etcd: RecipeClient,
    key: string,
    value: string,
    options: KeepAliveOptions,
  ): Promise<KeepAlive> {
    checkKeepAliveOptions(options);
    checkOwnValue(value);
    const { ifExists = "fail", recreate = false, signal } = options;
    const owned = new LeasedKey(etcd, key, value, leaseSettingsOf(options));
    const keepAlive = new KeepAlive(etcd, owned, await owned.claim(ifExists, signal), recreate);
    if (keepAlive.lost === undefined) return keepAlive;
    void keepAlive.close().catch(() => {});
    throw keepAlive.lost;
  }

  /** Keeps a key alive that is already owned. @internal */
  constructor(
    etcd: RecipeClient,
    owned: LeasedKey,
    { sentAt, node }: RenewalProof,
    recreate = false,
  ) {
    super();
    this.#etcd = etcd;
    this.#leasedKey = owned;
    this.#recreate = recreate;
    this.#createdIndex = node.createdIndex;
    this.#validity = new LeaseValidity(owned.key, owned.settings, etcd.clock, sentAt);
    onAbort(etcd.closed, this.#release);
    if (etcd.closed.aborted) this.#release();
    this.#running = this.#run();
  }

  get key(): string {
    return this.#leasedKey.key;
  }

  /** The value of the key. It identifies the owner. */
  get value(): string {
    return this.#leasedKey.value;
  }

  /** Index at which the key was created. Changes with `recreated`. */
  get createdIndex(): number {
    return this.#createdIndex;
  }

  /**
   * Aborts when the ownership is no longer proven. Its reason is an `OwnershipLostError`. A timer
   * aborts it, and a timer cannot interrupt running code or a paused process. After `recreated`,
   * this is a new signal.
   */
  get signal(): AbortSignal {
    return this.#validity.signal;
  }

  /** Why the ownership is not proven; `undefined` while it is. Reads the clocks, sends no request. */
  get lost(): OwnershipLostError | undefined {
    return this.#validity.lost;
  }

  /**
   * Throws unless the ownership is proven at this moment. It reads the clocks of this process and
   * sends no request, so it also throws right after a paused process resumes. Call it right before
   * each action that only the owner may do.
   *
   * @throws OwnershipLostError
   */
  assertHeld(): void {
    this.#validity.assertHeld();
  }

  /**
   * Sets another value and resets the TTL. Retries while the ownership is proven. Concurrent calls
   * are executed in order.
   *
   * @throws OwnershipLostError
   * @throws EtcdError when etcd refuses the new value; the key is still owned, with the value before
   */
  async update(value: string): Promise<void> {
    checkOwnValue(value);
    const updated = this.#updates.then(() => this.#update(value));
    this.#updates = updated.catch(() => {});
    await updated;
  }

  /**
   * Stops the renewals and deletes the key if it is still owned. If etcd is unreachable, or the
   * client was closed before, the key expires with its TTL.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #update(value: string): Promise<void> {
    const validity = this.#validity;
    const send = (signal: AbortSignal): Promise<RenewalProof> =>
      this.#leasedKey.update(value, signal);
    const update = async (): Promise<void> => {
      const failure = await this.#confirm(validity, send);
      if (failure !== undefined) throw failure;
    };
    try {
      await retry(
        update,
        this.#retriesUntil(validity.signal, () => validity.lost === undefined),
      );
    } catch (error) {
      throw validity.lost ?? error;
    }
  }

  readonly #release = (): void => {
    this.#closing.abort();
    this.#validity.end("released");
  };

  async #close(): Promise<void> {
    const startedAt = timestampOf(this.#etcd.clock);
    this.#release();
    await this.#running;
    const { closed, clock } = this.#etcd;
    if (closed.aborted) return;
    const mayExist = (): boolean => since(startedAt, clock) < this.#leasedKey.settings.ttl * 1000;
    try {
      await retry(() => this.#leasedKey.remove(), this.#retriesUntil(closed, mayExist));
    } catch (error) {
      // The key expires with its TTL.
      if (!isTransient(error) && !closed.aborted) throw error;
    }
  }

  async #run(): Promise<void> {
    do await this.#renewUntilLost(this.#validity);
    while (this.#recreate && (await this.#createAgain()));
    offAbort(this.#etcd.closed, this.#release);
  }

  /** Renews the key until the ownership is lost. */
  async #renewUntilLost(validity: LeaseValidity): Promise<void> {
    for (let proven = true; validity.lost === undefined; ) {
      await this.#pause(
        proven ? this.#renewDelay : this.#retryBackOff.next().delay(),
        validity.signal,
      );
      if (validity.lost === undefined) {
        proven = !(await this.#confirm(validity, (signal) => this.#leasedKey.refresh(signal)));
        if (proven) this.#emitLater("renewed");
      }
    }
    await this.#pendingRequest;
    const { lost } = validity;
    if (lost !== undefined && lost.reason !== "released") this.#emitLater("lost", lost);
  }

  /**
   * Sends a request of the owner and returns its error. Ends the lease validity if the error shows
   * that the key is not owned.
   */
  #confirm(
    validity: LeaseValidity,
    send: (signal: AbortSignal) => Promise<RenewalProof>,
  ): Promise<Error | undefined> {
    const proven = this.#pendingRequest.then(async () => {
      try {
        validity.assertHeld();
        const { sentAt } = await send(validity.signal);
        validity.prove(sentAt);
        return undefined;
      } catch (error) {
        const reason =
          lossReasonOf(error) ?? (error instanceof TypeError ? "unconfirmed" : undefined);
        if (reason === undefined) validity.recordFailure(error);
        else validity.end(reason, error);
        return error as Error;
      }
    });
    this.#pendingRequest = proven;
    return proven;
  }

  /** Tries to create the key again until `close()`. Returns whether the key is owned. */
  async #createAgain(): Promise<boolean> {
    const { signal } = this.#closing;
    if (signal.aborted || this.#validity.lost?.reason === "taken-over") return false;
    const reclaim = (): Promise<RenewalProof> => this.#leasedKey.reclaim(signal);
    try {
      const proof = await retry(reclaim, {
        clock: this.#etcd.clock,
        signal,
        backOff: BackOff.short,
        isTransient: (error) => !(error instanceof TypeError || error instanceof NodeExistError),
      });
      this.#restart(proof);
      return true;
    } catch (error) {
      if (error instanceof NodeExistError) {
        this.#emitLater("lost", new OwnershipLostError(this.key, "taken-over", error.message));
      }
      return false;
    }
  }

  #restart({ sentAt, node }: RenewalProof): void {
    this.#validity = new LeaseValidity(
      this.key,
      this.#leasedKey.settings,
      this.#etcd.clock,
      sentAt,
    );
    this.#createdIndex = node.createdIndex;
    if (this.#closing.signal.aborted) this.#release();
    this.#emitLater("recreated");
  }

  get #renewDelay(): number {
    return (this.#leasedKey.settings.ttl * 1000 * (1 - Math.random() / 10)) / 3;
  }

  get #retryBackOff(): BackOff {
    return BackOff.constant(Math.min((this.#leasedKey.settings.ttl * 1000) / 20, MAX_TIMER_MS));
  }

  /** Retries after transient failures while the condition is true. */
  #retriesUntil(signal: AbortSignal, isUseful: () => boolean): RetryOptions {
    const { clock } = this.#etcd;
    const backOff = this.#retryBackOff;
    return { clock, signal, backOff, isTransient: (error) => isUseful() && isTransient(error) };
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    return sleep(Math.min(milliseconds, MAX_TIMER_MS), this.#etcd.clock, signal).catch(() => {});
  }

  /** Emits in the next tick, so that a listener that throws does not stop the renewals. */
  #emitLater<E extends keyof KeepAliveEvents>(event: E, ...args: KeepAliveEvents[E]): void {
    nextTick(() => (this as EventEmitter).emit(event, ...args));
  }
}
