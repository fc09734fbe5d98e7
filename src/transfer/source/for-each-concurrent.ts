/**
 * Runs `work` for every item, started in order, with limited concurrency. After a failure, no further
 * item is started. The error is thrown when the running ones have ended.
 */
export async function forEachConcurrent<T>(
  items: AsyncIterable<T> | Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failed = false;
  const worker = async (): Promise<void> => {
    try {
      while (!failed) {
        const { done, value } = await iterator.next();
        if (done === true) return;
        await work(value);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: concurrency }, worker));
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure === undefined) return;
  await iterator.return?.();
  throw failure.reason;
}
