import { TimeoutError } from "../../errors/cluster-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import { refuseUnknown } from "../../model/option-names.js";
import { checkKey, checkText } from "../../model/validate.js";
import { ContenderQueue } from "../contention/contender-queue.js";
import { type LeaseOptions, leaseSettingsOf } from "../lease/lease-settings.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { withDeadline } from "../shared/with-deadline.js";
import { LockHandle } from "./lock-handle.js";

/** Options of {@link Lock}. */
export interface LockOptions extends LeaseOptions {
  /**
   * Whole seconds after which the key of a holder or waiter that has died expires.
   *
   * @default 10
   */
  readonly ttl?: number | undefined;
}

/** Options of `acquire`. */
export interface AcquireOptions extends CallOptions {
  /**
   * Maximum milliseconds to wait.
   *
   * @default no limit
   */
  readonly timeout?: number | undefined;
  /**
   * A note for people who inspect the lock. The value of the key is the holder's id and this text.
   *
   * @default ""
   */
  readonly data?: string | undefined;
}

/**
 * A fair lock: waiters acquire it in the order of their calls. The holder and each waiter have an
 * in-order key with a TTL below `key`.
 *
 * The lock alone does not guarantee exclusion: a holder that was paused may believe for a moment
 * that it still holds the lock. If that matters, the resource must refuse fencing tokens that are
 * lower than the highest one it has seen.
 *
 * @example
 * const held = await etcd.lock("/locks/report").acquire({ timeout: 30_000 });
 * try {
 *   held.assertHeld();
 *   await store.write(report, held.fencingToken);
 * } finally {
 *   await held.release();
 * }
 */
export class Lock {
  readonly key: string;
  readonly #etcd: RecipeClient;
  readonly #queue: ContenderQueue;

  /** @throws TypeError for an invalid key or option */
  constructor(etcd: RecipeClient, key: string, options: LockOptions = {}) {
    checkKey(key);
    refuseUnknown(options, { ttl: true, safetyMargin: true });
    this.key = key;
    this.#etcd = etcd;
    this.#queue = new ContenderQueue(
      etcd,
      key,
      leaseSettingsOf({ ...options, ttl: options.ttl ?? 10 }),
    );
  }

  /**
   * Waits in a queue until the lock is acquired. A waiter whose key is lost (deleted by hand, or
   * expired while etcd was unreachable) joins again at the end of the queue.
   *
   * @throws TimeoutError when `timeout` has passed. The waiter's key is deleted first, which takes up
   * to a second if etcd does not respond
   * @throws AbortError when `signal` aborts, or the client is closed. The waiter's key is deleted first,
   * as after a timeout
   * @throws NotDirError when `key` or a parent of it is a file
   * @throws ClusterUnavailableError, OutcomeUnknownError when the waiter's key could not be created
   * @throws OwnershipLostError when the TTL ended before this process learned that it is first, for
   * example after a pause, or with a TTL shorter than a round trip
   */
  async acquire(options: AcquireOptions = {}): Promise<LockHandle> {
    refuseUnknown(options, { timeout: true, data: true, signal: true });
    const { timeout, data = "" } = options;
    checkText("data", data);
    const limits = { ...this.#limits(options), timeout, timeoutError: this.#timeoutError };
    return withDeadline(this.#etcd.clock, limits, async (signal) => {
      return new LockHandle(await this.#queue.untilFirst(data, signal));
    });
  }

  /**
   * Acquires the lock if it has no holder and no waiters; otherwise returns `null`.
   *
   * @throws the errors of `acquire`
   */
  async tryAcquire(options: Omit<AcquireOptions, "timeout"> = {}): Promise<LockHandle | null> {
    refuseUnknown(options, { data: true, signal: true });
    const { data = "" } = options;
    checkText("data", data);
    return withDeadline(this.#etcd.clock, this.#limits(options), async (signal) => {
      const contender = await this.#queue.joinAsFirst(data, signal);
      return contender === null ? null : new LockHandle(contender);
    });
  }

  #limits({ signal }: CallOptions) {
    const signals = [signal, this.#etcd.closed];
    return { operation: `acquiring the lock ${this.key}`, signals };
  }

  readonly #timeoutError = (timeout: number): Error =>
    new TimeoutError(`lock ${this.key}: not acquired within ${timeout} ms`, timeout);
}
