import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import type { ExecuteOptions, KeySpace } from "../../key-space/key-space.js";
import { isRetryable } from "../../key-space/shared/is-retryable.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import { sleep } from "../../time/sleep.js";

/** Failures in a row, for some two minutes with their back-off, that time did not repair. */
const PATIENCE = 8;

/** Does again what failed for a while: only for what may be done twice. */
export async function withRetries<T>(
  clock: Clock,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  let backOff = BackOff.none;
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      const mayPass = isRetryable(error) || error instanceof OutcomeUnknownError;
      if (!mayPass || failures === PATIENCE) throw error;
      backOff = backOff.next();
      await sleep(backOff.delay(), clock, signal);
    }
  }
}

/**
 * A key space whose requests are sent again when they failed, even where a write may have been
 * carried out: for writes whose repetition is harmless, as those of a migration are.
 */
export class KeySpaceWithRetries {
  readonly #inner: Pick<KeySpace, "execute">;
  readonly #clock: Clock;

  constructor(inner: Pick<KeySpace, "execute">, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  execute(request: KeyRequest, options: ExecuteOptions = {}): Promise<EtcdResponse> {
    return withRetries(this.#clock, options.signal, () => this.#inner.execute(request, options));
  }
}
