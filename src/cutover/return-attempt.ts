import { CutoverError } from "../errors/cutover-error.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { undo } from "./arm.js";
import type { CutoverRecords } from "./cutover-records.js";

/** Time after which no write arrives at v2 that was sent before. */
const LATE_MS = 300_000;
const RENEW_MS = 10_000;

/**
 * One attempt to return to v2. v2 cannot refuse the writes of an earlier attempt that arrive late, so after one that has
 * ended without knowing the outcome of all its writes, the next one has to wait.
 */
export class ReturnAttempt implements AsyncDisposable {
  readonly #records: CutoverRecords;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  readonly #renewing: Promise<void>;
  /** Whether no write of it can arrive any more. */
  isClean = false;

  /** @throws CutoverError when writes of an earlier one may arrive */
  static async begin(records: CutoverRecords, clock: Clock): Promise<ReturnAttempt> {
    const before = await records.lastReturn();
    const wait = before === undefined ? 0 : before + LATE_MS - clock.now();
    if (wait > 0) {
      const seconds = Math.ceil(Math.min(wait, LATE_MS) / 1000);
      throw new CutoverError(
        "not returned: an earlier attempt runs, or has ended without knowing whether its last writes have reached v2; " +
          `run it again in ${seconds} s`,
      );
    }
    await records.noteReturn(clock.now());
    return new ReturnAttempt(records, clock);
  }

  private constructor(records: CutoverRecords, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
    this.#renewing = this.#renew(this.#ending.signal).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error("the attempt has ended"));
    await this.#renewing;
    await undo(() => this.#records.noteReturn(this.isClean ? undefined : this.#clock.now()));
  }

  async #renew(signal: AbortSignal): Promise<never> {
    for (;;) {
      await sleep(RENEW_MS, this.#clock, signal);
      await this.#records.noteReturn(this.#clock.now()).catch(() => {});
    }
  }
}
