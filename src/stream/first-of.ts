/** Returns the first value, or `undefined` when there is none. Closes the iterator. */
export async function firstOf<T>(values: AsyncIterable<T>): Promise<T | undefined> {
  for await (const value of values) return value;
  return undefined;
}
