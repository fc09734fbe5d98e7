import { type LossReason, OwnershipLostError } from "../../errors/ownership-lost-error.js";
import type { Clock } from "../../time/clock.js";
import type { LeaseSettings } from "./lease-settings.js";
import { since, type Timestamp } from "./timestamp.js";

/** The longest that a timer can be set for. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * The time for which a key is provably ours: from the sending of the last good request, since etcd
 * may have carried it out right then. It ends once and for ever.
 */
export class LeaseValidity {
  readonly #key: string;
  readonly #clock: Clock;
  readonly #proofLasts: number;
  readonly #over = new AbortController();
  #provenAt: Timestamp;
  #lost: OwnershipLostError | undefined;
  #trouble: unknown;
  #cancelTimer: () => void = () => {};

  constructor(key: string, { proofLasts }: LeaseSettings, clock: Clock, provenAt: Timestamp) {
    this.#key = key;
    this.#clock = clock;
    this.#proofLasts = proofLasts;
    this.#provenAt = provenAt;
    this.#watchTime();
  }

  /** Aborts when the tenure ends; its reason is an `OwnershipLostError`. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Why and how the tenure ended; looks at the clocks, not only at what timers have told. */
  get lost(): OwnershipLostError | undefined {
    if (this.#lost === undefined && this.#remaining <= 0) this.end("unconfirmed", this.#trouble);
    return this.#lost;
  }

  /** @throws OwnershipLostError */
  assertHeld(): void {
    const { lost } = this;
    if (lost !== undefined) throw lost;
  }

  /** Takes a good request as proof, if it comes in time. */
  prove(sentAt: Timestamp): void {
    if (this.lost === undefined) this.#provenAt = sentAt;
  }

  /** Remembers why the last renewal failed, in case that there is no other in time. */
  blame(trouble: unknown): void {
    this.#trouble = trouble;
  }

  end(reason: LossReason, cause?: unknown): void {
    if (this.#lost !== undefined) return;
    this.#cancelTimer();
    this.#lost = new OwnershipLostError(this.#key, reason, this.#explain(reason, cause), cause);
    this.#over.abort(this.#lost);
  }

  get #remaining(): number {
    return this.#proofLasts - since(this.#provenAt, this.#clock);
  }

  readonly #watchTime = (): void => {
    if (this.lost !== undefined) return;
    const wait = Math.min(Math.ceil(this.#remaining), LONGEST_TIMER);
    this.#cancelTimer = this.#clock.after(wait, this.#watchTime);
  };

  #explain(reason: LossReason, cause: unknown): string {
    if (cause instanceof Error) return cause.message;
    if (reason === "released") return "it was closed or released";
    const seconds = (since(this.#provenAt, this.#clock) / 1000).toFixed(1);
    return `not confirmed for ${seconds} s; use a TTL that outlasts pauses and round trips`;
  }
}
