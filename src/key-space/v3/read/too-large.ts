import { ResponseTooLargeError } from "../../../errors/cluster-errors.js";
import { maxMessageSizeIn } from "../../../etcd3/error-messages.js";

/** A request that can be divided. */
interface Divisible {
  /**
   * Requests less from now on. `limit` is the maximum length of a response.
   *
   * @returns `false` when it cannot be reduced further
   */
  shrink(limit: number): boolean;
}

/** The maximum length of a response, if the error says that a response exceeded it. */
function limitIn(error: unknown): number | undefined {
  // A gRPC proxy has a limit of its own.
  return error instanceof ResponseTooLargeError ? error.maxResponseSize : maxMessageSizeIn(error);
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
