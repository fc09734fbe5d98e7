/** Options of a call. */
export interface CallOptions {
  /** Aborts the call; a write that was already sent may still be applied. */
  readonly signal?: AbortSignal | undefined;
}
