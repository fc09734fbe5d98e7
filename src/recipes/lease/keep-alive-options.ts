import { inspect } from "node:util";
import { OptionError } from "../../errors/option-error.js";
import type { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { type KnownOptions, refuseUnknown } from "../../model/option-names.js";
import { checkText } from "../../model/validate.js";
import type { LeaseOptions } from "./lease-settings.js";

/** What `keepAlive` does if the key exists; see {@link KeepAliveOptions.ifExists}. */
export type IfExists = "fail" | "adopt" | "replace";

/** Options of `keepAlive`. */
export interface KeepAliveOptions extends LeaseOptions {
  readonly ttl: number;
  /**
   * What to do if the key exists. `"fail"`: throw `NodeExistError`. `"adopt"`: take it over if it
   * has the same value, otherwise throw. `"replace"`: take it over from any owner.
   *
   * @default "fail"
   */
  readonly ifExists?: IfExists | undefined;
  /**
   * Create the key again after it expired, was deleted, or was not confirmed in time. A key that
   * another client has changed is never taken back.
   *
   * @default false
   */
  readonly recreate?: boolean | undefined;
  /** Aborts the creation. Has no effect on a key that is already kept alive. */
  readonly signal?: AbortSignal | undefined;
}

/** Events of a key that is kept alive. */
export interface KeepAliveEvents {
  /** etcd has confirmed a renewal. */
  renewed: [];
  /** The ownership of the key is no longer proven. Not emitted for `close()`. */
  lost: [OwnershipLostError];
  /** With `recreate`: the key is owned again, with a new `signal`. */
  recreated: [];
}

const OPTIONS: KnownOptions<KeepAliveOptions> = {
  ttl: true,
  safetyMargin: true,
  ifExists: true,
  recreate: true,
  signal: true,
};

/** Checks all options except those that `leaseSettingsOf` checks. @throws TypeError naming the option */
export function checkKeepAliveOptions(options: KeepAliveOptions): void {
  refuseUnknown(options, OPTIONS);
  const { ifExists = "fail" } = options;
  if (ifExists === "fail" || ifExists === "adopt" || ifExists === "replace") return;
  throw new OptionError(
    "ifExists",
    `must be "fail", "adopt" or "replace", not ${inspect(ifExists)}`,
  );
}

/** Checks a value before a request is sent: an error after that could lose the key. */
export function checkOwnValue(value: string): void {
  checkText("value", value);
  if (value === "") {
    throw new OptionError("value", "must not be empty", "etcd cannot compare with an empty value");
  }
}
