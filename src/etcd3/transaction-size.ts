import { V3RefusedError } from "../errors/v3-errors.js";
import { isRequestTooLarge } from "./retry-class.js";
import { MAX_TXN_OPS } from "./transaction.js";

const TOO_MANY_OPERATIONS = "etcdserver: too many operations in txn request";

/**
 * How much etcd takes in one transaction. The options `--max-txn-ops` and `--max-request-bytes` may
 * set less than usual, and only a refusal shows that.
 */
export class TransactionSize {
  #maxOperations = MAX_TXN_OPS;

  /** Operations to send in one transaction: fewer than usual once etcd has refused so many. */
  get maxOperations(): number {
    return this.#maxOperations;
  }

  /** Whether etcd refused so many operations for their number or size: half of them may do. */
  isExceeded(error: unknown, operations: number): boolean {
    if (operations < 2 || !(error instanceof V3RefusedError)) return false;
    const { detail } = error;
    if (detail !== TOO_MANY_OPERATIONS) return isRequestTooLarge(detail);
    this.#maxOperations = Math.min(this.#maxOperations, halfOf(operations));
    return true;
  }

  /** Sends items in one transaction, or half by half where that is too much. */
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
