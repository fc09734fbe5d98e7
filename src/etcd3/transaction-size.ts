import { refusalReasonOf } from "./error-messages.js";
import { MAX_TXN_OPS } from "./transaction.js";

/**
 * Tracks the maximum size of a transaction. `--max-txn-ops` and `--max-request-bytes` may be lower
 * than the defaults, and only a rejection shows that.
 */
export class TransactionSize {
  #maxOperations = MAX_TXN_OPS;

  /** Maximum operations per transaction. Decreases when etcd has rejected a transaction. */
  get maxOperations(): number {
    return this.#maxOperations;
  }

  /**
   * Whether etcd rejected this number of operations for their number or size. Half of them may
   * work.
   */
  isExceeded(error: unknown, operations: number): boolean {
    if (operations < 2) return false;
    const reason = refusalReasonOf(error);
    if (reason !== "too-many-operations") return reason === "too-large";
    this.#maxOperations = Math.min(this.#maxOperations, halfOf(operations));
    return true;
  }

  /** Sends items in one transaction. Splits them in half while they exceed a limit. */
  async sendInParts<T>(
    items: readonly T[],
    send: (part: readonly T[]) => Promise<unknown>,
  ): Promise<void> {
    try {
      await send(items);
    } catch (error) {
      if (!this.isExceeded(error, items.length)) throw error;
      const half = halfOf(items.length);
      await this.sendInParts(items.slice(0, half), send);
      await this.sendInParts(items.slice(half), send);
    }
  }
}

export function halfOf(operations: number): number {
  return Math.ceil(operations / 2);
}
