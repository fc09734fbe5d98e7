import { checkText } from "../../model/validate.js";
import type { OwnContender } from "../contention/own-contender.js";
import { Ownership } from "../contention/ownership.js";

/** A won election, until the leader resigns or loses it. */
export class Leadership extends Ownership {
  readonly #contender: OwnContender;

  /** @internal */
  constructor(contender: OwnContender) {
    super(contender);
    this.#contender = contender;
  }

  /** The value that observers see. */
  get value(): string {
    return this.#contender.data;
  }

  /** Changes the value that observers see. @throws OwnershipLostError */
  async proclaim(value: string): Promise<void> {
    checkText("value", value);
    await this.#contender.update(value);
  }

  /** Lets the next candidate lead: at once, or after the TTL if etcd is unreachable. */
  resign(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }
}
