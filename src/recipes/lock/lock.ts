import { TimeoutError } from "../../errors/cluster-errors.js";
import type { CallOptions } from "../../key-space/key-space.js";
import { refuseUnknown } from "../../model/option-names.js";
import { checkKey, checkText } from "../../model/validate.js";
import { ContenderQueue } from "../contention/contender-queue.js";
import { type LeaseSettingsOptions, leaseSettingsOf } from "../lease/lease-settings.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { withDeadline } from "../shared/with-deadline.js";
import { LockHandle } from "./lock-handle.js";

/** Options of {@link Lock}. */
export interface LockOptions extends LeaseSettingsOptions {
  /**
   * Whole seconds after which a holder or waiter that has died is passed over.
   *
   * @default 10
   */
  readonly ttl?: number;
}

/** Options of `acquire`. */
export interface AcquireOptions extends CallOptions {
  /**
   * Milliseconds to wait at most.
   *
   * @default without end
   */
  readonly timeout?: number;
  /**
   * For people who look at the lock: it stands beside the holder's id in the value.
   *
   * @default ""
   */
  readonly data?: string;
}

/**
 * A lock in line: whoever asked first is next. Below `key` each holder and waiter has an in-order
 * key with a TTL.
 *
 * It does not exclude by itself: a holder that was paused may believe in it for a moment longer than
 * etcd does. Where that matters, the resource has to refuse lower fencing tokens than it has seen.
 */
export class Lock {
  readonly key: string;
  readonly #etcd: RecipeClient;
  readonly #queue: ContenderQueue;

  /** @throws TypeError for a key or option that makes no sense */
  constructor(etcd: RecipeClient, key: string, options: LockOptions = {}) {
    checkKey(key);
    refuseUnknown(options, ["ttl", "safetyMargin"]);
    this.key = key;
    this.#etcd = etcd;
    this.#queue = new ContenderQueue(
      etcd,
      key,
      leaseSettingsOf({ ...options, ttl: options.ttl ?? 10 }),
    );
  }

  /**
   * Waits in line until the lock is ours. Whose place is lost meanwhile (deleted by hand, or expired
   * while etcd was out of reach) takes the last place again.
   *
   * @throws TimeoutError when `timeout` has passed; the place is given up, which takes up to a second
   * more where etcd does not answer
   * @throws AbortError when `signal` aborts, or the client is closed; the place is given up likewise
   * @throws NotDirError when a file stands where the lock's directory should be
   * @throws ClusterUnavailableError, OutcomeUnknownError when no place could be taken
   * @throws OwnershipLostError when the TTL was over before this process learnt that it is first, as
   * after a pause or with a TTL shorter than a round trip
   */
  async acquire(options: AcquireOptions = {}): Promise<LockHandle> {
    refuseUnknown(options, ["timeout", "data", "signal"]);
    const { timeout, data = "" } = options;
    checkText("data", data);
    const limits = { ...this.#limits(options), timeout, late: this.#late };
    return withDeadline(this.#etcd.clock, limits, async (signal) => {
      return new LockHandle(await this.#queue.untilFirst(data, signal));
    });
  }

  /**
   * Takes the lock if nobody holds it or waits for it, and else answers `null`.
   *
   * @throws as `acquire`
   */
  async tryAcquire(options: Omit<AcquireOptions, "timeout"> = {}): Promise<LockHandle | null> {
    refuseUnknown(options, ["data", "signal"]);
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

  readonly #late = (timeout: number): Error =>
    new TimeoutError(`lock ${this.key}: not acquired within ${timeout} ms`, timeout);
}
