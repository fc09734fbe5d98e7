import type { OwnContender } from "./own-contender.js";

/** What a `LockHandle` and a `Leadership` have in common: the proof that this process is the owner. */
export abstract class Ownership implements AsyncDisposable {
  readonly #contender: OwnContender;

  /** @internal */
  constructor(contender: OwnContender) {
    this.#contender = contender;
  }

  /** The key of this owner in the directory of the lock or election. */
  get key(): string {
    return this.#contender.key;
  }

  /**
   * Higher for each later owner. Send it with each request to the protected resource. The resource
   * must refuse a token that is lower than the highest one it has seen.
   */
  get fencingToken(): number {
    return this.#contender.fencingToken;
  }

  /**
   * Aborts when the ownership is no longer proven. Its reason is an `OwnershipLostError`. A timer
   * aborts it, and a timer cannot interrupt running code or a paused process: call {@link
   * assertHeld} before each critical step.
   */
  get signal(): AbortSignal {
    return this.#contender.signal;
  }

  /**
   * Throws unless the ownership is proven at this moment. It reads the clocks of this process and
   * sends no request, so it also throws right after a paused process resumes.
   *
   * @throws OwnershipLostError
   */
  assertHeld(): void {
    this.#contender.assertHeld();
  }

  /** Ends the ownership: at once, or with the TTL if etcd is unreachable. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#contender.leave();
  }
}
