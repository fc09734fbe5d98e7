import type { CallOptions } from "../call-options.js";
import type { Changes, Resync, Subscription } from "../subscription.js";

/** Returns the subscription with other items and errors. */
export function mapSubscription(
  inner: Subscription,
  itemOf: (item: Changes | Resync) => Changes | Resync,
  errorOf: (error: unknown) => unknown = (error) => error,
): Subscription {
  const mapped = <T>(promise: Promise<T>): Promise<T> =>
    promise.catch((error) => Promise.reject(errorOf(error)));
  const opened = mapped(inner.opened);
  opened.catch(() => {});
  return {
    opened,
    get index() {
      return inner.index;
    },
    get currentAt() {
      return inner.currentAt;
    },
    get lastError() {
      return inner.lastError;
    },
    async next() {
      const next = await mapped(inner.next());
      return next.done === true ? next : { done: false, value: itemOf(next.value) };
    },
    async return() {
      inner.close();
      return { done: true, value: undefined };
    },
    reached: (index: number, options?: CallOptions) => mapped(inner.reached(index, options)),
    close: () => inner.close(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
