import type { KeySpace } from "../../src/key-space/key-space.js";

/** A way to have a key space, to be held to the contract. */
export interface Arrangement {
  readonly name: string;
  start(): Promise<Started>;
  /** Why a case is left out, by the case's name; `docs/deviations.md` has a row for each. */
  readonly skips: Readonly<Record<string, string>>;
}

export interface Started {
  readonly keySpace: KeySpace;
  /** One more key space of the kind, over this store or another, for a case that closes it. */
  another(): Promise<KeySpace>;
  /** Ends the key space and all that is behind it. */
  stop(): Promise<void>;
}

/**
 * What a case works with. The store may hold other keys, but nobody else writes to it meanwhile,
 * unless the case runs beside others.
 */
export interface Ground extends Pick<Started, "keySpace" | "another"> {
  /** A directory of the case's own, which does not exist yet. */
  readonly dir: string;
}

/** Statements about every key space, by the sentence that each one proves. */
export type Cases = Readonly<Record<string, (ground: Ground) => Promise<void>>>;
