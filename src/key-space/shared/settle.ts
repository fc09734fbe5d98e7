import { AbortError } from "../../errors/abort-error.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";
import { isRetryable } from "./is-retryable.js";

/** A write that can be repeated, because it is applied at most once. */
export interface RepeatableWrite<T> {
  /** Method and key, for messages. */
  readonly operation: string;
  /**
   * Carries out the write, or finds out that an earlier attempt has done so.
   *
   * @param isRepeated whether an earlier attempt may have been applied, or may still be
   */
  attempt(isRepeated: boolean): Promise<T>;
  /**
   * Makes sure that no earlier attempt is applied later. Returns the result if one was applied,
   * `undefined` if none was.
   */
  fence(refusal: unknown): Promise<T | undefined>;
  /** Whether a refusal must be fenced even if every attempt had a response. */
  mustFence(refusal: unknown): boolean;
}

/** The outcome is certain: the error is thrown without another request. */
export class SettledError extends Error {
  override readonly cause: unknown;

  constructor(cause: unknown) {
    super("settled");
    this.cause = cause;
  }
}

export interface SettleOptions {
  readonly clock: Clock;
  /** Monotonic time after which no attempt begins. */
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Repeats a write until its outcome is certain.
 *
 * @throws OutcomeUnknownError when that could not be found out in time
 * @throws any other error when the write certainly was not applied
 */
export async function settle<T>(
  write: RepeatableWrite<T>,
  { clock, deadline, signal }: SettleOptions,
): Promise<T> {
  /** Set once an attempt may have been applied. */
  let unknown: OutcomeUnknownError | undefined;
  /** Set once the write was refused, which is reported when it is fenced. */
  let refusal: { readonly error: unknown } | undefined;
  for (let backOff = BackOff.quick; ; ) {
    try {
      if (refusal === undefined) return await write.attempt(unknown !== undefined);
      const result = await write.fence(refusal.error);
      if (result !== undefined) return result;
      throw new SettledError(refusal.error);
    } catch (error) {
      if (error instanceof SettledError) throw error.cause;
      if (error instanceof AbortError) throw abortOf(error, write.operation, unknown);
      if (error instanceof OutcomeUnknownError || isRetryable(error)) {
        if (error instanceof OutcomeUnknownError && refusal === undefined) unknown = error;
        // Nothing was sent, now or before: the error says so.
        if (unknown === undefined && refusal === undefined) throw error;
        if (clock.monotonic() >= deadline) throw unknown ?? refusal?.error;
      } else {
        if (refusal !== undefined) throw unknown ?? refusal.error;
        if (unknown === undefined && !write.mustFence(error)) throw error;
        refusal = { error };
        continue;
      }
    }
    backOff = backOff.next();
    try {
      await sleep(backOff.delay(), clock, signal);
    } catch (error) {
      throw error instanceof AbortError ? abortOf(error, write.operation, unknown) : error;
    }
  }
}

/** Repeats a task that has the same effect however often it is executed. */
export async function settleRepeatable(
  operation: string,
  task: () => Promise<void>,
  options: SettleOptions,
): Promise<void> {
  const attempt = async (): Promise<true> => {
    await task();
    return true;
  };
  await settle(
    { operation, attempt, fence: async () => undefined, mustFence: () => false },
    options,
  );
}

function abortOf(
  error: AbortError,
  operation: string,
  unknown: OutcomeUnknownError | undefined,
): AbortError {
  return unknown === undefined ? error : new AbortError(operation, error.cause, "unknown");
}
