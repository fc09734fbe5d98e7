import { KeyNotFoundError } from "../../errors/common-errors.js";
import type { KeepAlive } from "../lease/keep-alive.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { retryUntilAvailable } from "../shared/retry-until-available.js";

/** An item that this consumer has claimed. */
export class QueueItem implements AsyncDisposable {
  readonly key: string;
  readonly value: string;
  readonly #etcd: RecipeClient;
  readonly #claim: KeepAlive;

  /** @internal */
  constructor(etcd: RecipeClient, key: string, value: string, claim: KeepAlive) {
    this.key = key;
    this.value = value;
    this.#etcd = etcd;
    this.#claim = claim;
  }

  /** Aborts when the claim is no longer proven. Another consumer may have the item then. */
  get signal(): AbortSignal {
    return this.#claim.signal;
  }

  /** Throws unless the claim is proven at this moment. @throws OwnershipLostError */
  assertHeld(): void {
    this.#claim.assertHeld();
  }

  /**
   * Marks the item as done: deletes it, then the claim. Retries while the claim is proven. An item
   * that another client has already deleted counts as done.
   *
   * @throws OwnershipLostError when the claim is lost; the item is delivered again, or already was
   */
  async acknowledge(): Promise<void> {
    const remove = async (): Promise<void> => {
      this.assertHeld();
      await this.#etcd.execute({ action: "delete", key: this.key }, { signal: this.signal });
    };
    try {
      await retryUntilAvailable(remove, this.#etcd.clock, this.signal);
    } catch (error) {
      this.assertHeld();
      if (!(error instanceof KeyNotFoundError)) throw error;
    }
    await this.#claim.close();
  }

  /** Returns the item to the queue, which delivers it again at once. No effect after `acknowledge`. */
  release(): Promise<void> {
    return this.#claim.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
