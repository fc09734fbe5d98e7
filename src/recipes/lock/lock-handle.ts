import type { OwnContender } from "../contention/own-contender.js";

/** An acquired lock, until it is released or lost. */
export class LockHandle implements AsyncDisposable {
  readonly #contender: OwnContender;

  /** @internal */
  constructor(contender: OwnContender) {
    this.#contender = contender;
  }

  /** The key of this holder in the lock's directory. */
  get key(): string {
    return this.#contender.key;
  }

  /**
   * Higher for each later holder. Send it with each request to the protected resource. The resource
   * must refuse a token that is lower than the highest one it has seen.
   */
  get fencingToken(): number {
    return this.#contender.fencingToken;
  }

  /**
   * Aborts when the ownership of the lock is no longer proven. Its reason is an
   * `OwnershipLostError`. A timer aborts it, and a timer cannot interrupt running code or a paused
   * process: call {@link assertHeld} before each critical step.
   */
  get signal(): AbortSignal {
    return this.#contender.signal;
  }

  /**
   * Throws unless the ownership of the lock is proven at this moment. It reads the clocks of this
   * process, so it also throws right after a paused process resumes.
   *
   * @throws OwnershipLostError
   */
  assertHeld(): void {
    this.#contender.assertHeld();
  }

  /** Releases the lock to the next waiter. If etcd is unreachable, the lock expires with its TTL. */
  release(): Promise<void> {
    return this.#contender.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
