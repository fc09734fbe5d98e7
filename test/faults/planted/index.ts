/** A bug that a run must find: a text of one file of the product, and what takes its place. */
export interface Plant {
  /** Path from the folder of the clone. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const plants: Readonly<Record<string, Plant>> = {
  /** A write with an unknown outcome is sent again. Most visible on v2. */
  "replays-unknown-writes": {
    file: "src/cluster/routing/call.ts",
    find: 'if (safety === "recorded" || !this.#settings.retryUnknownWrites) throw this.#unknownOutcome;',
    replace: "",
  },
  /** On v2, a watch reads history from one index too late. */
  "watch-resumes-late": {
    file: "src/wire/key-request.ts",
    find: "partial === true ? since + 1 : since",
    replace: "partial === true ? since + 2 : since + 1",
  },
  /** On v3, a watch continues one revision too late. */
  "v3-watch-resumes-late": {
    file: "src/key-space/v3/watch/etcd-watch.ts",
    find: "from: listener.next, inFragments",
    replace: "from: listener.next + 1, inFragments",
  },
  /** When v2 has discarded history, a watch continues with the oldest event that is left. */
  "watch-skips-cleared-history": {
    file: "src/key-space/remote/watch/history-backfill.ts",
    find: "if (this.#isPassed(scan)) return true;",
    replace: `if (this.#isPassed(scan)) return true;
      const oldest = /\\[(\\d+)\\//.exec(error.message)?.[1];
      if (oldest !== undefined) { this.#target.resumePoint.startAt(Number(oldest)); this.#scans.length = 0; return true; }`,
  },
  /** A lock says that it is held until a request shows the loss. */
  "lock-trusts-silence": {
    file: "src/recipes/lease/lease-settings.ts",
    find: "proofDuration: ttlMs - margin",
    replace: "proofDuration: 1000 * ttlMs - margin",
  },
  /** A refresh creates a key that has expired. */
  "refresh-recreates": {
    file: "src/client/key-requests.ts",
    find: 'return { action: "update", ...refresh };',
    replace: 'return { action: "set", key, ttl, value: "refreshed" };',
  },
  /** A member of v2 responds to linearizable reads with its own state. */
  "stale-quorum-reads": {
    file: "src/wire/key-request.ts",
    find: "{ recursive, sorted, quorum }, quorum === true",
    replace: "{ recursive, sorted }, quorum === true",
  },
  /** After a cut-over, gateways show the indexes of v3. */
  "cutover-forgets-indexes": {
    file: "src/server/switch/shown-indexes.ts",
    find: "if (paths.size === 0) return response;",
    replace: "return response;",
  },
};
