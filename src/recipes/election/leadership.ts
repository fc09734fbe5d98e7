import { checkText } from "../../model/validate.js";
import type { OwnContender } from "../contention/own-contender.js";

/** A won election, until the leader resigns or loses it. */
export class Leadership implements AsyncDisposable {
  readonly #contender: OwnContender;

  /** @internal */
  constructor(contender: OwnContender) {
    this.#contender = contender;
  }

  /** The key of this leader in the election's directory. */
  get key(): string {
    return this.#contender.key;
  }

  /** The value that observers see. */
  get value(): string {
    return this.#contender.data;
  }

  /** Higher for each later leader. A resource that the leader writes to must refuse lower tokens. */
  get fencingToken(): number {
    return this.#contender.fencingToken;
  }

  /** Aborts when the leadership is no longer proven; see `LockHandle.signal`. */
  get signal(): AbortSignal {
    return this.#contender.signal;
  }

  /** Throws unless the leadership is proven at this moment. @throws OwnershipLostError */
  assertHeld(): void {
    this.#contender.assertHeld();
  }

  /** Changes the value that observers see. @throws OwnershipLostError */
  async proclaim(value: string): Promise<void> {
    checkText("value", value);
    await this.#contender.update(value);
  }

  /** Lets the next candidate lead: at once, or after the TTL if etcd is unreachable. */
  resign(): Promise<void> {
    return this.#contender.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.resign();
  }
}
