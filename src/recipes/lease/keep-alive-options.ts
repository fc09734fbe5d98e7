import { inspect } from "node:util";
import type { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { refuseUnknown } from "../../model/option-names.js";
import { checkText } from "../../model/validate.js";
import type { LeaseSettingsOptions } from "./lease-settings.js";

/** What `keepAlive` does when the key exists; see {@link KeepAliveOptions.ifExists}. */
export type IfExists = "fail" | "adopt" | "replace";

/** Options of `keepAlive`. */
export interface KeepAliveOptions extends LeaseSettingsOptions {
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

const OPTIONS = ["ttl", "safetyMargin", "ifExists", "recreate", "signal"];

/** @throws TypeError naming the option; what `leaseSettingsOf` checks is left to that */
export function checkKeepAliveOptions(options: KeepAliveOptions): void {
  refuseUnknown(options, OPTIONS);
  const { ifExists = "fail" } = options;
  if (ifExists === "fail" || ifExists === "adopt" || ifExists === "replace") return;
  throw new TypeError(`ifExists: must be "fail", "adopt" or "replace", not ${inspect(ifExists)}`);
}

/** Before anything is sent: what goes wrong after that may cost the key. */
export function checkOwnValue(value: string): void {
  checkText("value", value);
  if (value === "") {
    throw new TypeError("value: must not be empty; etcd cannot compare with that");
  }
}
