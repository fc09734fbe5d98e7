import { KeyNotFoundError } from "../../errors/common-errors.js";
import { sleep } from "../../time/sleep.js";
import type { KeepAlive } from "../lease/keep-alive.js";
import type { RecipeClient } from "../shared/recipe-client.js";
import { isTransient } from "../shared/transient-failure.js";

/** Milliseconds between two tries to acknowledge. */
const RETRY_DELAY = 250;

/** An item that this consumer has claimed. */
export class QueueItem implements AsyncDisposable {
  readonly key: string;
  readonly value: string;
  readonly #etcd: RecipeClient;
  readonly #claim: KeepAlive;

  constructor(etcd: RecipeClient, key: string, value: string, claim: KeepAlive) {
    this.key = key;
    this.value = value;
    this.#etcd = etcd;
    this.#claim = claim;
  }

  /** Aborts when the claim is not provably ours any more: another consumer may have the item. */
  get signal(): AbortSignal {
    return this.#claim.signal;
  }

  /** Throws unless the claim is provably ours at this moment. @throws OwnershipLostError */
  assertHeld(): void {
    this.#claim.assertHeld();
  }

  /**
   * The item is done with: deletes it, then the claim. Tries again while the claim is ours. One that
   * somebody has deleted already counts as done.
   *
   * @throws OwnershipLostError when the claim is lost: the item will be, or was, delivered again
   */
  async acknowledge(): Promise<void> {
    while (!(await this.#delete())) await this.#pause();
    await this.#claim.close();
  }

  /** Gives the item back, to be delivered again at once. After `acknowledge` it does nothing. */
  release(): Promise<void> {
    return this.#claim.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #delete(): Promise<boolean> {
    this.assertHeld();
    try {
      await this.#etcd.execute({ action: "delete", key: this.key }, { signal: this.signal });
    } catch (error) {
      this.assertHeld();
      if (isTransient(error)) return false;
      if (!(error instanceof KeyNotFoundError)) throw error;
    }
    return true;
  }

  #pause(): Promise<void> {
    return sleep(RETRY_DELAY, this.#etcd.clock, this.signal).catch(() => {});
  }
}
