import { checkText } from "../../model/validate.js";
import type { Place } from "../contention/own-contender.js";

/** An election that was won, until it is resigned or lost. */
export class Leadership implements AsyncDisposable {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** The key that stands for this leader. */
  get key(): string {
    return this.#place.key;
  }

  /** What observers see of this leader. */
  get value(): string {
    return this.#place.data;
  }

  /** Higher for each later leader: what the leader writes to should refuse lower ones. */
  get fencingToken(): number {
    return this.#place.fencingToken;
  }

  /** Aborts when the leadership cannot be proven any more; see `LockHandle.signal`. */
  get signal(): AbortSignal {
    return this.#place.signal;
  }

  /** Throws unless we provably lead at this moment. @throws OwnershipLostError */
  assertHeld(): void {
    this.#place.assertHeld();
  }

  /** Shows observers another value. @throws OwnershipLostError */
  async proclaim(value: string): Promise<void> {
    checkText("value", value);
    await this.#place.update(value);
  }

  /** Lets the next candidate lead. Where etcd is out of reach, that takes the TTL. */
  resign(): Promise<void> {
    return this.#place.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.resign();
  }
}
