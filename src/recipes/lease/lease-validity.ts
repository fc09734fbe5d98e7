import { type LossReason, OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { type Clock, MAX_TIMER_MS } from "../../time/clock.js";
import type { LeaseSettings } from "./lease-settings.js";
import { since, type Timestamp } from "./timestamp.js";

/**
 * The time for which the ownership of a key is proven. It is counted from the sending of the last
 * successful request, because etcd may have processed it at that moment. Once ended, it stays ended.
 */
export class LeaseValidity {
  readonly #key: string;
  readonly #clock: Clock;
  readonly #proofDuration: number;
  readonly #ended = new AbortController();
  #provenAt: Timestamp;
  #lost: OwnershipLostError | undefined;
  #lastFailure: unknown;
  #cancelTimer: () => void = () => {};

  constructor(key: string, { proofDuration }: LeaseSettings, clock: Clock, provenAt: Timestamp) {
    this.#key = key;
    this.#clock = clock;
    this.#proofDuration = proofDuration;
    this.#provenAt = provenAt;
    this.#startTimer();
  }

  /** Aborts when the validity ends; its reason is an `OwnershipLostError`. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /** Why the validity ended. Reads the clocks too, because timers can be late. */
  get lost(): OwnershipLostError | undefined {
    if (this.#lost === undefined && this.#remaining <= 0)
      this.end("unconfirmed", this.#lastFailure);
    return this.#lost;
  }

  /** @throws OwnershipLostError */
  assertHeld(): void {
    const { lost } = this;
    if (lost !== undefined) throw lost;
  }

  /** Extends the validity after a successful request, unless it has already ended. */
  prove(sentAt: Timestamp): void {
    if (this.lost === undefined) this.#provenAt = sentAt;
  }

  /** Stores the error of the last renewal. It becomes the cause if no later renewal succeeds in time. */
  recordFailure(failure: unknown): void {
    this.#lastFailure = failure;
  }

  end(reason: LossReason, cause?: unknown): void {
    if (this.#lost !== undefined) return;
    this.#cancelTimer();
    this.#lost = new OwnershipLostError(this.#key, reason, this.#explain(reason, cause), cause);
    this.#ended.abort(this.#lost);
  }

  get #remaining(): number {
    return this.#proofDuration - since(this.#provenAt, this.#clock);
  }

  readonly #startTimer = (): void => {
    if (this.lost !== undefined) return;
    const wait = Math.min(Math.ceil(this.#remaining), MAX_TIMER_MS);
    this.#cancelTimer = this.#clock.after(wait, this.#startTimer);
  };

  #explain(reason: LossReason, cause: unknown): string {
    if (cause instanceof Error) return cause.message;
    if (reason === "released") return "it was closed or released";
    const seconds = (since(this.#provenAt, this.#clock) / 1000).toFixed(1);
    return `not confirmed for ${seconds} s; use a TTL that outlasts pauses and round trips`;
  }
}
