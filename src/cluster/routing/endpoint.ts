import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";

/** One endpoint, and how far it is to be trusted right now. */
export class Endpoint {
  readonly url: string;
  readonly #clock: Clock;
  #backOff = BackOff.none;
  #failedAt = Number.NEGATIVE_INFINITY;
  #asideUntil = Number.NEGATIVE_INFINITY;

  constructor(url: string, clock: Clock) {
    this.url = url;
    this.#clock = clock;
  }

  /** Moment (monotonic) until which others are preferred; in the past for one in good health. */
  get asideUntil(): number {
    return this.#clock.monotonic() < this.#asideUntil ? this.#asideUntil : 0;
  }

  /** Whether its last news was a failure, however long ago. */
  get failing(): boolean {
    return this.#backOff !== BackOff.none;
  }

  succeeded(): void {
    this.#backOff = BackOff.none;
    this.#asideUntil = Number.NEGATIVE_INFINITY;
  }

  /** Puts the endpoint aside. Calls that began before it last failed tell nothing new. */
  failed(startedAt: number): void {
    if (startedAt <= this.#failedAt) return;
    this.#failedAt = this.#clock.monotonic();
    this.#backOff = this.#backOff.next();
    this.#asideUntil = this.#failedAt + this.#backOff.delay();
  }
}
