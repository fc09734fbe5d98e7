import type { Clock } from "../../time/clock.js";
import { RecentMap } from "./recent-map.js";

/** Number of wrong passwords in a row after which checks are delayed. */
const MAX_UNDELAYED_FAILURES = 10;
/** Interval between two delayed checks. */
const DELAY_MS = 1_000;
/** Time without a check after which failures are forgotten. */
const RETENTION_MS = 60_000;
const MAX_PAIRS = 10_000;

interface Count {
  readonly failures: number;
  /** Monotonic time of the last check. */
  readonly at: number;
}

/** Counts the wrong passwords in a row of each pair of user and client. */
export class FailureLog {
  readonly #clock: Clock;
  readonly #counts = new RecentMap<Count>(MAX_PAIRS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Number of wrong passwords in a row. */
  failures(pair: string): number {
    return this.#countOf(pair).failures;
  }

  /** Milliseconds until the next check may begin. */
  delay(pair: string): number {
    const { failures, at } = this.#countOf(pair);
    return failures < MAX_UNDELAYED_FAILURES
      ? 0
      : Math.max(0, at + DELAY_MS - this.#clock.monotonic());
  }

  /** Records that a check begins: the next one may have to wait. */
  begin(pair: string): void {
    this.#set(pair, this.failures(pair));
  }

  end(pair: string, isCorrect: boolean): void {
    if (isCorrect) this.#counts.delete(pair);
    else this.#set(pair, this.failures(pair) + 1);
  }

  #countOf(pair: string): Count {
    const now = this.#clock.monotonic();
    const count = this.#counts.get(pair);
    return count !== undefined && now - count.at < RETENTION_MS ? count : { failures: 0, at: now };
  }

  #set(pair: string, failures: number): void {
    this.#counts.set(pair, { failures, at: this.#clock.monotonic() });
  }
}
