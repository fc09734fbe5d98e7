import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";

/** One endpoint and its health. */
export class Endpoint {
  readonly url: string;
  readonly #clock: Clock;
  #backOff = BackOff.none;
  #failedAt = Number.NEGATIVE_INFINITY;
  #avoidUntil = Number.NEGATIVE_INFINITY;

  constructor(url: string, clock: Clock) {
    this.url = url;
    this.#clock = clock;
  }

  /** Monotonic time until which other endpoints are preferred. 0 for a healthy endpoint. */
  get avoidUntil(): number {
    return this.#clock.monotonic() < this.#avoidUntil ? this.#avoidUntil : 0;
  }

  /** Whether the last request failed. */
  get failing(): boolean {
    return this.#backOff !== BackOff.none;
  }

  succeeded(): void {
    this.#backOff = BackOff.none;
    this.#avoidUntil = Number.NEGATIVE_INFINITY;
  }

  /** Records a failure: other endpoints are preferred for a while. Ignores calls that began before the last failure. */
  failed(startedAt: number): void {
    if (startedAt <= this.#failedAt) return;
    this.#failedAt = this.#clock.monotonic();
    this.#backOff = this.#backOff.next();
    this.#avoidUntil = this.#failedAt + this.#backOff.delay();
  }
}
