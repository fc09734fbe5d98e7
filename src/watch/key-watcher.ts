import { AbortError } from "../errors/abort-error.js";
import type { CallOptions } from "../key-space/call-options.js";
import type { Subscription } from "../key-space/subscription.js";
import type { EtcdResponse, ResponseOrigin } from "../model/response.js";
import type { WatchItem } from "../model/watch-item.js";
import { IndexWaiters } from "../stream/index-waiters.js";
import { nextTurn } from "../time/event-loop.js";
import type { Watcher } from "./watcher.js";

type Next = IteratorResult<WatchItem, undefined>;

/** The part of an origin that identifies a store. */
export type StoreOrigin = Pick<ResponseOrigin, "etcdServer" | "etcdClusterId" | "etcdIndex">;

/** The items of a subscription one by one. */
export class KeyWatcher implements Watcher {
  readonly #subscription: Subscription;
  readonly #observe: (origin: StoreOrigin) => void;
  /** Changes that the subscription has delivered, and the consumer has not read. */
  #unread: EtcdResponse[] = [];
  #isClosed = false;
  /** Calls that wait until the consumer has read the rest of {@link #unread}. */
  readonly #waiters: IndexWaiters;
  /** How current the consumer was before these changes. */
  #currentBefore: number | undefined;
  /** Resolves after the pending calls of `next`. */
  #pending: Promise<unknown> = Promise.resolve();

  /** `observe`: called with the origin of the watch and of each resync. */
  constructor(key: string, subscription: Subscription, observe: (origin: StoreOrigin) => void) {
    this.#waiters = new IndexWaiters(`watch of ${key}`);
    this.#subscription = subscription;
    this.#observe = observe;
    subscription.opened.then(observe, () => {});
  }

  get index(): number {
    const [first] = this.#unread;
    return first === undefined ? this.#subscription.index : first.node.modifiedIndex - 1;
  }

  get lastError(): Error | undefined {
    return this.#subscription.lastError;
  }

  get currentAt(): number | undefined {
    return this.#unread.length === 0 ? this.#subscription.currentAt : this.#currentBefore;
  }

  /** May be called again while a call is pending. The calls resolve in order. */
  next(): Promise<Next> {
    const next = this.#pending.then(() => this.#next());
    this.#pending = next.catch(() => {});
    return next;
  }

  async reached(index: number, options: CallOptions = {}): Promise<void> {
    await this.#subscription.reached(index, options);
    // The subscription delivers the changes of one index together.
    if (this.index >= index) return;
    if (this.#isClosed) throw this.#closedError;
    await this.#waiters.add(index, options.signal);
    // A pending `next` resolves before.
    await nextTurn();
  }

  async return(): Promise<Next> {
    this.close();
    return { done: true, value: undefined };
  }

  close(): void {
    this.#isClosed = true;
    this.#waiters.rejectAll(this.#closedError);
    this.#subscription.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #next(): Promise<Next> {
    for (;;) {
      const response = this.#isClosed ? undefined : this.#unread.shift();
      if (this.#waiters.size > 0) this.#waiters.resolveUpTo(this.index);
      if (response !== undefined) return { done: false, value: { type: "change", response } };
      const { currentAt } = this.#subscription;
      const next = await this.#read();
      if (next.done === true) return next;
      if (next.value.type === "resync") {
        const { etcdServer, etcdClusterId, index: etcdIndex } = next.value;
        this.#observe({ etcdServer, etcdClusterId, etcdIndex });
        return { done: false, value: next.value };
      }
      this.#currentBefore = currentAt;
      this.#unread = [...next.value.changes];
    }
  }

  /** Names the key as the caller of the watch knows it: the subscription may be of a namespace. */
  async #read(): ReturnType<Subscription["next"]> {
    try {
      return await this.#subscription.next();
    } catch (error) {
      if (!(error instanceof AbortError)) throw error;
      throw this.#waiters.abortError(error.cause);
    }
  }

  get #closedError(): AbortError {
    return this.#waiters.abortError(new Error("the watch was closed"));
  }
}
