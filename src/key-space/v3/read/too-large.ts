import { ResponseTooLargeError } from "../../../errors/cluster-errors.js";
import { V3RefusedError } from "../../../errors/v3-errors.js";

/** What can be asked for less at a time. */
interface Divisible {
  /**
   * Asks for less from now on; `false` when it asked for the least already. `limit` is the length of
   * the longest answer.
   */
  shrink(limit: number): boolean;
}

/** How gRPC refuses an answer that is longer than a proxy on the way takes. */
const LARGER_THAN_MAX = /larger than max \(\d+ vs\. (\d+)\)/;

/** The length of the longest answer, if an error says that one was longer. */
function limitIn(error: unknown): number | undefined {
  if (error instanceof ResponseTooLargeError) return error.maxResponseSize;
  if (!(error instanceof V3RefusedError)) return undefined;
  const [, limit] = LARGER_THAN_MAX.exec(error.detail) ?? [];
  return limit === undefined ? undefined : Number(limit);
}

/** Whether an answer was too large for this client, or for a gRPC proxy on the way. */
export function isTooLarge(error: unknown): boolean {
  return limitIn(error) !== undefined;
}

/** Reads, and asks for less as long as the answer is too large. */
export async function readLess<T>(what: Divisible, read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      const limit = limitIn(error);
      if (limit === undefined || !what.shrink(limit)) throw error;
    }
  }
}
