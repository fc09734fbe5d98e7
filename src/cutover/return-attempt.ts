import { CutoverError } from "../errors/cutover-error.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { undo } from "./arm.js";
import { type CutoverRecords, StateChangedError } from "./cutover-records.js";

const RENEW_MS = 5_000;

/**
 * The one process that returns to v2. v2 cannot refuse the writes of an earlier one that arrive late, so after one that has
 * ended without knowing the outcome of all its writes, the next one has to wait.
 */
export class ReturnAttempt implements AsyncDisposable {
  readonly #records: CutoverRecords;
  readonly #clock: Clock;
  /** Seconds. */
  readonly #late: number;
  readonly #ending = new AbortController();
  readonly #lost = new AbortController();
  readonly #renewing: Promise<void>;
  #revision: number;
  /** Whether no write of it can arrive any more. */
  isClean = false;

  /**
   * @param late milliseconds after which no write arrives at v2 that was sent before
   * @throws CutoverError when another process returns, or its writes may arrive
   */
  static async begin(records: CutoverRecords, clock: Clock, late: number): Promise<ReturnAttempt> {
    const seconds = Math.max(1, Math.ceil(late / 1000));
    try {
      return new ReturnAttempt(
        records,
        clock,
        seconds,
        await records.noteReturn(seconds, undefined),
      );
    } catch (error) {
      if (!(error instanceof StateChangedError)) throw error;
      const wait = Math.max(1, await records.returnEndsIn());
      throw new CutoverError(
        "not returned: an earlier attempt runs, or has ended without knowing whether its last writes have reached v2; " +
          `run it again in ${wait} s`,
      );
    }
  }

  private constructor(records: CutoverRecords, clock: Clock, late: number, revision: number) {
    this.#records = records;
    this.#clock = clock;
    this.#late = late;
    this.#revision = revision;
    this.#renewing = this.#renew(this.#ending.signal).catch(() => {});
  }

  /** Aborted when another process may return. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error("the attempt has ended"));
    await this.#renewing;
    const end = () =>
      this.isClean
        ? this.#records.removeReturn(this.#revision)
        : this.#records.noteReturn(this.#late, this.#revision);
    await undo(end);
  }

  async #renew(signal: AbortSignal): Promise<never> {
    let renewedAt = this.#clock.monotonic();
    for (;;) {
      await sleep(Math.min(RENEW_MS, (this.#late * 1000) / 4), this.#clock, signal);
      try {
        const began = this.#clock.monotonic();
        this.#revision = await this.#records.noteReturn(this.#late, this.#revision);
        renewedAt = began;
      } catch (error) {
        const age = this.#clock.monotonic() - renewedAt;
        const isLost = error instanceof StateChangedError || age > (this.#late * 1000) / 2;
        if (isLost) this.#lost.abort(notRenewed());
      }
    }
  }
}

function notRenewed(): CutoverError {
  return new CutoverError(
    "not returned: the record of this attempt on v3 could not be renewed, so another process may return; run it again",
  );
}
