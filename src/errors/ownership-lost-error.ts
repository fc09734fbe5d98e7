import { EtcdError } from "./etcd-error.js";

/**
 * Why a key is no longer provably one's own. `gone`: it was deleted, or it expired. `changed by
 * another`: it has a value that its owner did not give it, or is a directory. `no contact`: etcd
 * confirmed it too long ago, so that it may have expired. `given up`: its owner closed or released
 * it, or closed its client.
 */
export type LossReason = "gone" | "changed by another" | "no contact" | "given up";

/**
 * What was held is not held any more, or cannot be proven to be. Whoever acts for it must stop:
 * another may be its owner by now. `cause` is the error by which it was learnt, if there was one.
 */
export class OwnershipLostError extends EtcdError {
  override readonly name = "OwnershipLostError";
  override readonly code = "ETCD_OWNERSHIP_LOST";
  readonly key: string;
  readonly reason: LossReason;

  constructor(key: string, reason: LossReason, detail: string, cause?: unknown) {
    super(`${key} is not ours: ${reason} (${detail})`, cause === undefined ? {} : { cause });
    this.key = key;
    this.reason = reason;
  }
}
