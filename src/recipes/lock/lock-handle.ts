import { Ownership } from "../contention/ownership.js";

/** An acquired lock, until it is released or lost. */
export class LockHandle extends Ownership {
  /** Releases the lock to the next waiter. If etcd is unreachable, the lock expires with its TTL. */
  release(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }
}
