import { EtcdError } from "./etcd-error.js";

/**
 * Why the ownership of a key was lost.
 *
 * - `gone`: the key was deleted, or it expired.
 * - `taken-over`: the key has a value that its owner did not write, or it is a directory.
 * - `unconfirmed`: etcd confirmed the key too long ago, so that it may have expired.
 * - `released`: its owner closed or released it, or closed its client.
 */
export type LossReason = "gone" | "taken-over" | "unconfirmed" | "released";

/**
 * A key is no longer owned, or its ownership cannot be proven. Stop the work that needs it: the key may
 * already have another owner. `cause` is the error that showed the loss, if there was one.
 */
export class OwnershipLostError extends EtcdError {
  override readonly name = "OwnershipLostError";
  override readonly code = "ETCD_OWNERSHIP_LOST";
  readonly key: string;
  readonly reason: LossReason;

  constructor(key: string, reason: LossReason, detail: string, cause?: unknown) {
    super(`lost ownership of ${key} (${reason}): ${detail}`, cause === undefined ? {} : { cause });
    this.key = key;
    this.reason = reason;
  }
}
