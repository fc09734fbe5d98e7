import { EtcdError } from "./etcd-error.js";

/** The target of a migration contains data that this migration has not written. */
export class TargetInUseError extends EtcdError {
  override readonly name = "TargetInUseError";
  override readonly code = "ETCD_TARGET_IN_USE";
}

/** A migration or comparison of these trees is not possible. Nothing was written. */
export class TransferRefusedError extends EtcdError {
  override readonly name = "TransferRefusedError";
  override readonly code = "ETCD_TRANSFER_REFUSED";
}

/** Nodes that a migration has written differ between target and source. */
export class TransferFailedError extends EtcdError {
  override readonly name = "TransferFailedError";
  override readonly code = "ETCD_TRANSFER_FAILED";
}

/**
 * Another cluster responds instead of the source of a migration. Nothing more was copied from it, and nodes
 * that it lacks were not deleted.
 */
export class SourceReplacedError extends EtcdError {
  override readonly name = "SourceReplacedError";
  override readonly code = "ETCD_SOURCE_REPLACED";

  constructor() {
    super("another cluster responds instead of the source; nothing more was copied from it");
  }
}
