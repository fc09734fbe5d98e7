import type { ExecuteOptions, KeySpace } from "../../key-space/key-space.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import { isTransient } from "../../recipes/shared/transient-failure.js";
import { BackOff } from "../../time/back-off.js";
import type { Clock } from "../../time/clock.js";
import { retry } from "../../time/retry.js";

/** With backoff, these attempts take about two minutes. */
const MAX_ATTEMPTS = 8;

/** Retries after transient failures. The work must be idempotent. */
export function withRetries<T>(
  clock: Clock,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const backOff = BackOff.none;
  return retry(work, { clock, signal, backOff, isTransient, maxAttempts: MAX_ATTEMPTS });
}

/**
 * Retries failed requests of a key space, even if etcd may have processed a write. Only for
 * idempotent writes, such as those of a migration.
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
