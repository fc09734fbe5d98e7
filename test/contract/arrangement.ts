import type { KeySpace } from "../../src/key-space/key-space.js";

/** One kind of key space and its servers, for which the contract suite runs. */
export interface Arrangement {
  readonly name: string;
  start(): Promise<Started>;
  /** Reasons for skipped cases, by case name. `docs/deviations.md` has a row for each. */
  readonly skips: Readonly<Record<string, string>>;
}

export interface Started {
  readonly keySpace: KeySpace;
  /** Opens another key space of the same kind, on this store or a new one, for a case that closes it. */
  another(): Promise<KeySpace>;
  /** Closes the key space and stops its servers. */
  stop(): Promise<void>;
}

/**
 * The parameters of a case. The store may hold other keys, but only the case writes to it, unless
 * cases run concurrently.
 */
export interface CaseContext extends Pick<Started, "keySpace" | "another"> {
  /** A directory for this case alone. It does not exist yet. */
  readonly dir: string;
}

/** Cases by name. The name is the statement that the case checks. */
export type Cases = Readonly<Record<string, (context: CaseContext) => Promise<void>>>;
