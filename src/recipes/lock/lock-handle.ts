import type { OwnContender } from "../contention/own-contender.js";

/** A lock that is held. */
export class LockHandle implements AsyncDisposable {
  readonly #contender: OwnContender;

  constructor(contender: OwnContender) {
    this.#contender = contender;
  }

  /** The key that stands for this holder. */
  get key(): string {
    return this.#contender.key;
  }

  /**
   * Higher for each later holder. Send it along with what the lock protects; the resource must refuse
   * one that is lower than the highest it has seen.
   */
  get fencingToken(): number {
    return this.#contender.fencingToken;
  }

  /**
   * Aborts when the lock is not provably ours any more, its reason being an `OwnershipLostError`.
   * A timer does it, which cannot interrupt code that runs nor a process that is paused: call
   * {@link assertHeld} before each step that counts.
   */
  get signal(): AbortSignal {
    return this.#contender.signal;
  }

  /**
   * Throws unless the lock is provably ours at this moment, by this process's clocks: also in the
   * moment in which a paused process wakes.
   *
   * @throws OwnershipLostError
   */
  assertHeld(): void {
    this.#contender.assertHeld();
  }

  /** Gives the lock to the next in line. Where etcd is out of reach, it goes with its TTL. */
  release(): Promise<void> {
    return this.#contender.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
