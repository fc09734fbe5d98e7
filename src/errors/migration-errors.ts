import { EtcdError } from "./etcd-error.js";

/** The target of a migration holds data that this migration has not brought there. */
export class TargetInUseError extends EtcdError {
  override readonly name = "TargetInUseError";
  override readonly code = "ETCD_TARGET_IN_USE";
}

/** A migration or a comparison cannot be carried out between these trees. Nothing was written. */
export class TransferRefusedError extends EtcdError {
  override readonly name = "TransferRefusedError";
  override readonly code = "ETCD_TRANSFER_REFUSED";
}

/** A migration has written nodes that the target does not show as they are in the source. */
export class TransferFailedError extends EtcdError {
  override readonly name = "TransferFailedError";
  override readonly code = "ETCD_TRANSFER_FAILED";
}

/**
 * Another cluster responds in place of the source of a migration. Nothing more was copied from it: the
 * nodes that it lacks were not deleted.
 */
export class SourceReplacedError extends EtcdError {
  override readonly name = "SourceReplacedError";
  override readonly code = "ETCD_SOURCE_REPLACED";

  constructor() {
    super("another cluster responds in place of the source; nothing more was copied from it");
  }
}
