/**
 * Base class of all errors of the library, except `TypeError` for misuse and `AbortError` for an aborted
 * call. Messages never contain credentials.
 */
export abstract class EtcdError extends Error {
  abstract override readonly name: string;
  /** Stable identifier, for code that cannot use `instanceof` and for log queries. */
  abstract readonly code: string;
}
