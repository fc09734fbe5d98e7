import type { Clock } from "../../time/clock.js";
import { RecentMap } from "./recent-map.js";

/** Wrong passwords in a row before the next check has to wait. */
const FREE_FAILURES = 10;
/** Milliseconds from one check to the next one from then on. */
const PAUSE_MS = 1_000;
/** Milliseconds without a check after which failures are forgotten. */
const MEMORY_MS = 60_000;
const CAPACITY = 10_000;

interface Count {
  readonly failures: number;
  /** Monotonic time of the last check. */
  readonly at: number;
}

/** Counts wrong passwords in a row, for each pair of user and client. */
export class FailureLog {
  readonly #clock: Clock;
  readonly #counts = new RecentMap<Count>(CAPACITY);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wrong passwords in a row. */
  failures(pair: string): number {
    return this.#countOf(pair).failures;
  }

  /** Milliseconds until the next check may begin. */
  delay(pair: string): number {
    const { failures, at } = this.#countOf(pair);
    return failures < FREE_FAILURES ? 0 : Math.max(0, at + PAUSE_MS - this.#clock.monotonic());
  }

  /** Records that a check begins: the next one may have to wait. */
  begin(pair: string): void {
    this.#set(pair, this.failures(pair));
  }

  end(pair: string, isRight: boolean): void {
    if (isRight) this.#counts.delete(pair);
    else this.#set(pair, this.failures(pair) + 1);
  }

  #countOf(pair: string): Count {
    const now = this.#clock.monotonic();
    const count = this.#counts.get(pair);
    return count !== undefined && now - count.at < MEMORY_MS ? count : { failures: 0, at: now };
  }

  #set(pair: string, failures: number): void {
    this.#counts.set(pair, { failures, at: this.#clock.monotonic() });
  }
}
