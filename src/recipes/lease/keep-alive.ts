import { EventEmitter } from "node:events";
import { NodeExistError } from "../../errors/common-errors.js";
import { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { onAbort } from "../../stream/on-abort.js";
import { BackOff } from "../../time/back-off.js";
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
import { LeaseValidity, LONGEST_TIMER } from "./lease-validity.js";
import { LeasedKey, lossOf, type RenewalProof } from "./leased-key.js";
import { since, timestampOf } from "./timestamp.js";

/**
 * A key with a TTL that is ours and stays so: renewed at about a third of its TTL, without telling
 * watchers, and only while it has the value that we gave it.
 */
export class KeepAlive extends EventEmitter<KeepAliveEvents> implements AsyncDisposable {
  readonly #etcd: RecipeClient;
  readonly #owned: LeasedKey;
  readonly #recreate: boolean;
  readonly #closing = new AbortController();
  #validity: LeaseValidity;
  #createdIndex: number;
  /** The renewal or change under way: one at a time, since each proves by the value. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The changes asked for: the outcome of one must be known before the next. */
  #updates: Promise<void> = Promise.resolve();
  #running: Promise<void>;
  #closed: Promise<void> | undefined;

  /** Makes the key ours and keeps it. @throws TypeError naming the option; see `EtcdClient.keepAlive` */
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
    const kept = new KeepAlive(etcd, owned, await owned.claim(ifExists, signal), recreate);
    if (kept.lost === undefined) return kept;
    void kept.close().catch(() => {});
    throw kept.lost;
  }

  /** Keeps a key that is ours already. */
  constructor(
    etcd: RecipeClient,
    owned: LeasedKey,
    { sentAt, node }: RenewalProof,
    recreate = false,
  ) {
    super();
    this.#etcd = etcd;
    this.#owned = owned;
    this.#recreate = recreate;
    this.#createdIndex = node.createdIndex;
    this.#validity = new LeaseValidity(owned.key, owned.settings, etcd.clock, sentAt);
    onAbort(etcd.closed, this.#giveUp);
    if (etcd.closed.aborted) this.#giveUp();
    this.#running = this.#run();
  }

  get key(): string {
    return this.#owned.key;
  }

  /** By which etcd and this owner recognise the key. */
  get value(): string {
    return this.#owned.value;
  }

  /** Index at which the key was created; another one after `recreated`. */
  get createdIndex(): number {
    return this.#createdIndex;
  }

  /**
   * Aborts when the key is not provably ours any more, its reason being an `OwnershipLostError`. A
   * timer does it: it cannot interrupt code that runs, nor a process that is paused. After
   * `recreated` there is another signal.
   */
  get signal(): AbortSignal {
    return this.#validity.signal;
  }

  /** Why the key is not provably ours; `undefined` while it is. By the clocks, at once. */
  get lost(): OwnershipLostError | undefined {
    return this.#validity.lost;
  }

  /**
   * Throws unless the key is provably ours at this moment. It asks this process's clocks and not
   * etcd, so that it fails the moment a paused process wakes. Call it right before what only the
   * owner may do.
   *
   * @throws OwnershipLostError
   */
  assertHeld(): void {
    this.#validity.assertHeld();
  }

  /**
   * Gives the key another value and a fresh TTL. Tries again while the key is provably ours. Of
   * several that are asked for at once, each takes its turn.
   *
   * @throws OwnershipLostError
   * @throws what etcd refuses the new value with; the key stays ours with the value before
   */
  async update(value: string): Promise<void> {
    checkOwnValue(value);
    const updated = this.#updates.then(() => this.#update(value));
    this.#updates = updated.catch(() => {});
    await updated;
  }

  /**
   * Stops and deletes the key, if it is still ours. Out of reach, the key goes with its TTL, as it
   * does when the client was closed first.
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
    while (validity.lost === undefined) {
      const trouble = await this.#prove(validity, (signal) => this.#owned.update(value, signal));
      if (trouble === undefined) return;
      if (validity.lost === undefined && !isTransient(trouble)) throw trouble;
      await this.#pause(this.#retryDelay, validity.signal);
    }
    throw validity.lost;
  }

  readonly #giveUp = (): void => {
    this.#closing.abort();
    this.#validity.end("released");
  };

  async #close(): Promise<void> {
    const startedAt = timestampOf(this.#etcd.clock);
    this.#giveUp();
    await this.#running;
    const { ttl } = this.#owned.settings;
    while (!this.#etcd.closed.aborted && since(startedAt, this.#etcd.clock) < ttl * 1000) {
      try {
        return await this.#owned.remove();
      } catch (error) {
        if (!isTransient(error)) {
          if (this.#etcd.closed.aborted) return;
          throw error;
        }
      }
      await this.#pause(this.#retryDelay, this.#etcd.closed);
    }
  }

  async #run(): Promise<void> {
    do await this.#keep(this.#validity);
    while (this.#recreate && (await this.#regain()));
    this.#etcd.closed.removeEventListener("abort", this.#giveUp);
  }

  /** Renews until the tenure is over. */
  async #keep(validity: LeaseValidity): Promise<void> {
    for (let proven = true; validity.lost === undefined; ) {
      await this.#pause(proven ? this.#renewDelay : this.#retryDelay, validity.signal);
      if (validity.lost === undefined) {
        proven = !(await this.#prove(validity, (signal) => this.#owned.refresh(signal)));
        if (proven) this.#tell("renewed");
      }
    }
    await this.#turn;
    const { lost } = validity;
    if (lost !== undefined && lost.reason !== "released") this.#tell("lost", lost);
  }

  /** What went wrong with a request of the owner; ends the tenure if that shows that it is none. */
  #prove(
    validity: LeaseValidity,
    send: (signal: AbortSignal) => Promise<RenewalProof>,
  ): Promise<Error | undefined> {
    const proven = this.#turn.then(async () => {
      try {
        validity.assertHeld();
        const { sentAt } = await send(validity.signal);
        validity.prove(sentAt);
        return undefined;
      } catch (error) {
        const reason = lossOf(error) ?? (error instanceof TypeError ? "unconfirmed" : undefined);
        if (reason === undefined) validity.blame(error);
        else validity.end(reason, error);
        return error as Error;
      }
    });
    this.#turn = proven;
    return proven;
  }

  /** Creates the key again, however long that takes. Whether it is ours. */
  async #regain(): Promise<boolean> {
    const { signal } = this.#closing;
    if (this.#validity.lost?.reason === "taken-over") return false;
    for (let backOff = BackOff.short; !signal.aborted; backOff = backOff.next()) {
      await this.#pause(backOff.delay(), signal);
      try {
        if (!signal.aborted) return this.#begin(await this.#owned.reclaim(signal));
      } catch (error) {
        if (error instanceof TypeError) return false;
        if (error instanceof NodeExistError) return this.#isOwnedByAnother(error);
      }
    }
    return false;
  }

  #begin({ sentAt, node }: RenewalProof): true {
    this.#validity = new LeaseValidity(this.key, this.#owned.settings, this.#etcd.clock, sentAt);
    this.#createdIndex = node.createdIndex;
    if (this.#closing.signal.aborted) this.#giveUp();
    this.#tell("recreated");
    return true;
  }

  #isOwnedByAnother({ message }: NodeExistError): false {
    this.#tell("lost", new OwnershipLostError(this.key, "taken-over", message));
    return false;
  }

  get #renewDelay(): number {
    return (this.#owned.settings.ttl * 1000 * (1 - Math.random() / 10)) / 3;
  }

  get #retryDelay(): number {
    return (this.#owned.settings.ttl * 1000 * (1 - Math.random() / 2)) / 20;
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    return sleep(Math.min(milliseconds, LONGEST_TIMER), this.#etcd.clock, signal).catch(() => {});
  }

  /** Later, so that a listener that throws does not stop the renewal. */
  #tell<E extends keyof KeepAliveEvents>(event: E, ...args: KeepAliveEvents[E]): void {
    process.nextTick(() => (this as EventEmitter).emit(event, ...args));
  }
}
