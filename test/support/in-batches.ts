/**
 * Runs calls `size` at a time. On a busy machine, many calls at once would wait for longer than a
 * call may take.
 */
export async function inBatches(
  count: number,
  call: (index: number) => Promise<unknown>,
  size = 20,
): Promise<void> {
  for (let done = 0; done < count; done += size) {
    const length = Math.min(size, count - done);
    await Promise.all(Array.from({ length }, (_, index) => call(done + index)));
  }
}
