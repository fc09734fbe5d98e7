/** A node for {@link BulkLoading.load}. */
export interface LoadedNode {
  readonly key: string;
  /** Of a file; a directory has none. */
  readonly value?: string;
  /** Seconds to live, of a file; directories that are loaded stay for ever. */
  readonly ttl?: number;
}

/** How loading can be given up. */
export interface LoadOptions {
  /** Gives up; what was already sent may still take effect. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a key space offers to whoever moves data into it before it is in use: ways that need fewer
 * requests than a write each, and do without v2's guarantees.
 */
export interface BulkLoading {
  /**
   * Makes every index from now on greater than `index`. Other clients and gateways on the same data
   * notice it at once while they watch, else within 30 seconds.
   */
  continueAfter(index: number, options?: LoadOptions): Promise<void>;

  /**
   * Writes many nodes, over what is there and without any condition: several in one index, each a
   * `set` to watchers. The directories that hold them must exist and have no TTL, and no node may
   * stand where one of the other kind does. After a failure some are written; it may be repeated.
   *
   * @throws InvalidFieldError before anything is written, when one of the paths is too deep
   */
  load(nodes: readonly LoadedNode[], options?: LoadOptions): Promise<void>;
}
