/** A node for {@link BulkLoading.load}. */
export interface LoadedNode {
  readonly key: string;
  /** Value of a file; absent for a directory. */
  readonly value?: string | undefined;
  /** TTL of a file in seconds. Loaded directories have no TTL. */
  readonly ttl?: number | undefined;
}

/** Options of {@link BulkLoading}. */
export interface LoadOptions {
  /** Aborts; a write that was already sent may still be applied. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link BulkLoading.continueAfter}. */
export interface ContinueOptions extends LoadOptions {
  /** By how much later indexes are greater, so that the next call has nothing to do. @default 1_000_000 */
  readonly margin?: number | undefined;
}

/**
 * Fast ways to move data into a key space before it is in use. They need fewer requests than single
 * writes, and do without v2's guarantees.
 */
export interface BulkLoading {
  /**
   * Makes every later index greater than `index`. Other clients and gateways on the same data
   * notice this at once while they watch, otherwise within 30 seconds.
   */
  continueAfter(index: number, options?: ContinueOptions): Promise<void>;

  /**
   * Writes many nodes unconditionally, replacing existing ones. Several nodes share one index;
   * watchers see each of them as a `set`. The parent directories must exist and have no TTL. A file
   * must not replace a directory, nor a directory a file. After a failure some nodes are written;
   * the call can be repeated.
   *
   * @throws InvalidFieldError before anything is written, when a path is too deep
   */
  load(nodes: readonly LoadedNode[], options?: LoadOptions): Promise<void>;
}
