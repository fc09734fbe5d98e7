import type { StoreStats } from "../../model/cluster.js";
import type { KeyRequest } from "../../model/key-request.js";

type RequestAction = KeyRequest["action"];

/** Counts the requests by action and result. */
export class StoreCounters {
  readonly #successes = new Map<RequestAction, number>();
  readonly #failures = new Map<RequestAction, number>();
  #expired = 0;

  countSuccess(action: RequestAction): void {
    this.#successes.set(action, this.#successOf(action) + 1);
  }

  countFailure(action: RequestAction): void {
    this.#failures.set(action, this.#failureOf(action) + 1);
  }

  countExpiry(): void {
    this.#expired++;
  }

  /** The counters in the order in which etcd shows them. */
  show(watchers: number): StoreStats {
    return {
      getsSuccess: this.#successOf("get"),
      getsFail: this.#failureOf("get"),
      setsSuccess: this.#successOf("set"),
      setsFail: this.#failureOf("set"),
      deleteSuccess: this.#successOf("delete"),
      deleteFail: this.#failureOf("delete"),
      updateSuccess: this.#successOf("update"),
      updateFail: this.#failureOf("update"),
      createSuccess: this.#successOf("create"),
      createFail: this.#failureOf("create"),
      compareAndSwapSuccess: this.#successOf("compareAndSwap"),
      compareAndSwapFail: this.#failureOf("compareAndSwap"),
      compareAndDeleteSuccess: this.#successOf("compareAndDelete"),
      compareAndDeleteFail: this.#failureOf("compareAndDelete"),
      expireCount: this.#expired,
      watchers,
    };
  }

  #successOf(action: RequestAction): number {
    return this.#successes.get(action) ?? 0;
  }

  #failureOf(action: RequestAction): number {
    return this.#failures.get(action) ?? 0;
  }
}
