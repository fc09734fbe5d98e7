import { CutoverError } from "../errors/cutover-error.js";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { undo } from "./arm.js";
import { type CutoverRecords, StateChangedError } from "./cutover-records.js";

const RENEW_MS = 5_000;
/** Milliseconds without a renewal after which an attempt writes nothing more, at most. */
const LOST_MS = 30_000;

/**
 * The one process that returns to v2. v2 cannot refuse the writes of an earlier one that arrive late, so after one that has
 * ended without knowing the outcome of all its writes, the next one has to wait.
 */
export class ReturnAttempt implements AsyncDisposable {
  readonly #records: CutoverRecords;
  readonly #clock: Clock;
  readonly #late: number;
  readonly #lostAfter: number;
  readonly #ending = new AbortController();
  readonly #lost = new AbortController();
  #renewing: Promise<void> = Promise.resolve();
  #revision = 0;
  #cancelLost: () => void = () => {};
  /** Whether no write of it can arrive any more. */
  isClean = false;

  /**
   * @param late milliseconds after which no write arrives at v2 that was sent before
   * @throws CutoverError when another process returns, or its writes may arrive
   */
  static async begin(records: CutoverRecords, clock: Clock, late: number): Promise<ReturnAttempt> {
    const attempt = new ReturnAttempt(records, clock, late);
    try {
      await attempt.#note(undefined);
    } catch (error) {
      if (!(error instanceof StateChangedError)) throw error;
      const wait = Math.max(1, await records.returnEndsIn());
      throw new CutoverError(
        "not returned: an earlier attempt runs, or has ended without knowing whether its last writes have reached v2; " +
          `run it again in ${wait} s`,
      );
    }
    attempt.#renewing = attempt.#renew(attempt.#ending.signal).catch(() => {});
    return attempt;
  }

  private constructor(records: CutoverRecords, clock: Clock, late: number) {
    this.#records = records;
    this.#clock = clock;
    this.#late = late;
    this.#lostAfter = Math.min(LOST_MS, late / 2);
  }

  /** Aborted when another process may return. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error("the attempt has ended"));
    await this.#renewing;
    this.#cancelLost();
    const end = () =>
      this.isClean
        ? this.#records.removeReturn(this.#revision)
        : this.#records.noteReturn(secondsOf(this.#late), this.#revision);
    await undo(end);
  }

  async #renew(signal: AbortSignal): Promise<never> {
    for (;;) {
      await sleep(Math.min(RENEW_MS, this.#lostAfter / 2), this.#clock, signal);
      try {
        await this.#note(this.#revision);
      } catch (error) {
        if (error instanceof StateChangedError) this.#lost.abort(notRenewed());
      }
    }
  }

  /** The record lasts until the last write before {@link lost} cannot arrive any more. */
  async #note(revision: number | undefined): Promise<void> {
    const began = this.#clock.monotonic();
    const ttl = secondsOf(this.#lostAfter + this.#late);
    this.#revision = await this.#records.noteReturn(ttl, revision);
    this.#cancelLost();
    const left = began + this.#lostAfter - this.#clock.monotonic();
    const lose = (): void => this.#lost.abort(notRenewed());
    this.#cancelLost = this.#clock.after(Math.max(0, left), lose);
  }
}

function secondsOf(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

function notRenewed(): CutoverError {
  return new CutoverError(
    "not returned: the record of this attempt on v3 could not be renewed, so another process may return; run it again",
  );
}
