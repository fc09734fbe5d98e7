import { ResponseTooLargeError } from "../../../errors/cluster-errors.js";
import { V3RefusedError } from "../../../errors/v3-errors.js";

/** A request that can be divided. */
interface Divisible {
  /**
   * Requests less from now on. `limit` is the maximum length of a response.
   *
   * @returns `false` when it cannot be reduced further
   */
  shrink(limit: number): boolean;
}

/** gRPC's message for a response that exceeds the limit of a proxy. */
const MESSAGE_TOO_LARGE = /larger than max \(\d+ vs\. (\d+)\)/;

/** The maximum length of a response, if the error says that a response exceeded it. */
function limitIn(error: unknown): number | undefined {
  if (error instanceof ResponseTooLargeError) return error.maxResponseSize;
  if (!(error instanceof V3RefusedError)) return undefined;
  const [, limit] = MESSAGE_TOO_LARGE.exec(error.detail) ?? [];
  return limit === undefined ? undefined : Number(limit);
}

/** Whether a response was too large for this client or for a gRPC proxy. */
export function isTooLarge(error: unknown): boolean {
  return limitIn(error) !== undefined;
}

/** Reads, and reduces the request while the response is too large. */
export async function readWithinLimit<T>(what: Divisible, read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      const limit = limitIn(error);
      if (limit === undefined || !what.shrink(limit)) throw error;
    }
  }
}
