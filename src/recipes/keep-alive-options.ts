import type { OwnershipLostError } from "../errors/ownership-lost-error.js";
import type { IfExists } from "./owned-key.js";
import type { TermsOptions } from "./terms.js";

/** Options of `keepAlive`. */
export interface KeepAliveOptions extends TermsOptions {
  readonly ttl: number;
  /**
   * When the key exists: `"fail"` with `NodeExistError`; `"adopt"` it if it has our value, and
   * else fail; `"replace"` it, whoever's it is.
   *
   * @default "fail"
   */
  readonly ifExists?: IfExists;
  /**
   * Create the key again when it is gone or was out of reach for too long. One that another has
   * changed is never taken back.
   *
   * @default false
   */
  readonly recreate?: boolean;
  /** Gives the creation up; of a key that is kept it is no longer the signal. */
  readonly signal?: AbortSignal | undefined;
}

/** Events of a key that is kept alive. */
export interface KeepAliveEvents {
  /** etcd has confirmed the key once more. */
  renewed: [];
  /** The key is not provably ours any more. Not emitted for `close()`. */
  lost: [OwnershipLostError];
  /** With `recreate`: it is ours again, with a new `signal`. */
  recreated: [];
}

export const KEEP_ALIVE_OPTIONS = ["ttl", "safetyMargin", "ifExists", "recreate", "signal"];
