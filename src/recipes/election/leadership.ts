import { checkText } from "../../model/validate.js";
import type { OwnContender } from "../contention/own-contender.js";

/** An election that was won, until it is resigned or lost. */
export class Leadership implements AsyncDisposable {
  readonly #contender: OwnContender;

  constructor(contender: OwnContender) {
    this.#contender = contender;
  }

  /** The key that stands for this leader. */
  get key(): string {
    return this.#contender.key;
  }

  /** What observers see of this leader. */
  get value(): string {
    return this.#contender.data;
  }

  /** Higher for each later leader: what the leader writes to should refuse lower ones. */
  get fencingToken(): number {
    return this.#contender.fencingToken;
  }

  /** Aborts when the leadership cannot be proven any more; see `LockHandle.signal`. */
  get signal(): AbortSignal {
    return this.#contender.signal;
  }

  /** Throws unless we provably lead at this moment. @throws OwnershipLostError */
  assertHeld(): void {
    this.#contender.assertHeld();
  }

  /** Shows observers another value. @throws OwnershipLostError */
  async proclaim(value: string): Promise<void> {
    checkText("value", value);
    await this.#contender.update(value);
  }

  /** Lets the next candidate lead. Where etcd is out of reach, that takes the TTL. */
  resign(): Promise<void> {
    return this.#contender.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.resign();
  }
}
