import { inspect } from "node:util";
import type { AbortError } from "./abort-error.js";
import type { AdminError } from "./admin-error.js";
import type {
  ClusterUnavailableError,
  OutcomeUnknownError,
  ProtocolError,
  ResponseTooLargeError,
  TimeoutError,
  V2DisabledError,
} from "./cluster-errors.js";
import type {
  DirNotEmptyError,
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
  RootReadOnlyError,
  TestFailedError,
  UnauthorizedError,
} from "./common-errors.js";
import type { EtcdError } from "./etcd-error.js";
import type { EventIndexClearedError, WatcherClearedError } from "./event-errors.js";
import type { InvalidValueError } from "./invalid-value-error.js";
import type {
  SourceReplacedError,
  TargetInUseError,
  TransferFailedError,
  TransferRefusedError,
} from "./migration-errors.js";
import { OptionError } from "./option-error.js";
import type { OwnershipLostError } from "./ownership-lost-error.js";
import type {
  IndexNaNError,
  InvalidFieldError,
  InvalidFormError,
  PrevValueRequiredError,
  RefreshTtlRequiredError,
  RefreshValueError,
  TtlNaNError,
} from "./post-form-errors.js";
import type { LeaderElectError, RaftInternalError } from "./raft-errors.js";
import type {
  EtcdCommonError,
  EtcdEventError,
  EtcdPostFormError,
  EtcdRaftError,
  EtcdServerError,
} from "./server-error.js";
import type {
  DamagedRecordError,
  NestedPrefixError,
  V3DisabledError,
  V3RefusedError,
} from "./v3-errors.js";

/** Every error class, by its name without `Error` at the end. */
export interface EtcdErrorMap {
  readonly Abort: AbortError;
  readonly Admin: AdminError;
  readonly ClusterUnavailable: ClusterUnavailableError;
  readonly DamagedRecord: DamagedRecordError;
  readonly DirNotEmpty: DirNotEmptyError;
  readonly EtcdCommon: EtcdCommonError;
  readonly EtcdEvent: EtcdEventError;
  readonly EtcdPostForm: EtcdPostFormError;
  readonly EtcdRaft: EtcdRaftError;
  readonly EtcdServer: EtcdServerError;
  readonly EventIndexCleared: EventIndexClearedError;
  readonly IndexNaN: IndexNaNError;
  readonly InvalidField: InvalidFieldError;
  readonly InvalidForm: InvalidFormError;
  readonly InvalidValue: InvalidValueError;
  readonly KeyNotFound: KeyNotFoundError;
  readonly LeaderElect: LeaderElectError;
  readonly NestedPrefix: NestedPrefixError;
  readonly NodeExist: NodeExistError;
  readonly NotDir: NotDirError;
  readonly NotFile: NotFileError;
  readonly OutcomeUnknown: OutcomeUnknownError;
  readonly OwnershipLost: OwnershipLostError;
  readonly PrevValueRequired: PrevValueRequiredError;
  readonly Protocol: ProtocolError;
  readonly RaftInternal: RaftInternalError;
  readonly RefreshTtlRequired: RefreshTtlRequiredError;
  readonly RefreshValue: RefreshValueError;
  readonly ResponseTooLarge: ResponseTooLargeError;
  readonly RootReadOnly: RootReadOnlyError;
  readonly SourceReplaced: SourceReplacedError;
  readonly TargetInUse: TargetInUseError;
  readonly TestFailed: TestFailedError;
  readonly Timeout: TimeoutError;
  readonly TransferFailed: TransferFailedError;
  readonly TransferRefused: TransferRefusedError;
  readonly TtlNaN: TtlNaNError;
  readonly Unauthorized: UnauthorizedError;
  readonly V2Disabled: V2DisabledError;
  readonly V3Disabled: V3DisabledError;
  readonly V3Refused: V3RefusedError;
  readonly WatcherCleared: WatcherClearedError;
}

/** The name of an error class without `Error` at the end, such as `KeyNotFound`. */
export type EtcdErrorName = keyof EtcdErrorMap;

const COMMON = [
  ...["ETCD_COMMON", "ETCD_KEY_NOT_FOUND", "ETCD_TEST_FAILED", "ETCD_NOT_FILE", "ETCD_NOT_DIR"],
  ...["ETCD_NODE_EXIST", "ETCD_ROOT_READ_ONLY", "ETCD_DIR_NOT_EMPTY", "ETCD_UNAUTHORIZED"],
];
const POST_FORM = [
  ...["ETCD_POST_FORM", "ETCD_PREV_VALUE_REQUIRED", "ETCD_TTL_NAN", "ETCD_INDEX_NAN"],
  ...["ETCD_INVALID_FIELD", "ETCD_INVALID_FORM", "ETCD_REFRESH_VALUE"],
  "ETCD_REFRESH_TTL_REQUIRED",
];
const RAFT = ["ETCD_RAFT", "ETCD_RAFT_INTERNAL", "ETCD_LEADER_ELECT"];
const EVENT = ["ETCD_EVENT", "ETCD_WATCHER_CLEARED", "ETCD_EVENT_INDEX_CLEARED"];

/** The codes of each class and of its subclasses. */
const CODES: Readonly<{
  [Name in EtcdErrorName]: EtcdErrorMap[Name]["code"] | readonly EtcdErrorMap[Name]["code"][];
}> = {
  Abort: "ABORT_ERR",
  Admin: "ETCD_ADMIN",
  ClusterUnavailable: "ETCD_CLUSTER_UNAVAILABLE",
  DamagedRecord: "ETCD_DAMAGED_RECORD",
  DirNotEmpty: "ETCD_DIR_NOT_EMPTY",
  EtcdCommon: COMMON,
  EtcdEvent: EVENT,
  EtcdPostForm: POST_FORM,
  EtcdRaft: RAFT,
  EtcdServer: ["ETCD_SERVER", ...COMMON, ...POST_FORM, ...RAFT, ...EVENT],
  EventIndexCleared: "ETCD_EVENT_INDEX_CLEARED",
  IndexNaN: "ETCD_INDEX_NAN",
  InvalidField: "ETCD_INVALID_FIELD",
  InvalidForm: "ETCD_INVALID_FORM",
  InvalidValue: "ETCD_INVALID_VALUE",
  KeyNotFound: "ETCD_KEY_NOT_FOUND",
  LeaderElect: "ETCD_LEADER_ELECT",
  NestedPrefix: "ETCD_NESTED_PREFIX",
  NodeExist: "ETCD_NODE_EXIST",
  NotDir: "ETCD_NOT_DIR",
  NotFile: "ETCD_NOT_FILE",
  OutcomeUnknown: "ETCD_OUTCOME_UNKNOWN",
  OwnershipLost: "ETCD_OWNERSHIP_LOST",
  PrevValueRequired: "ETCD_PREV_VALUE_REQUIRED",
  Protocol: ["ETCD_PROTOCOL", "ETCD_RESPONSE_TOO_LARGE"],
  RaftInternal: "ETCD_RAFT_INTERNAL",
  RefreshTtlRequired: "ETCD_REFRESH_TTL_REQUIRED",
  RefreshValue: "ETCD_REFRESH_VALUE",
  ResponseTooLarge: "ETCD_RESPONSE_TOO_LARGE",
  RootReadOnly: "ETCD_ROOT_READ_ONLY",
  SourceReplaced: "ETCD_SOURCE_REPLACED",
  TargetInUse: "ETCD_TARGET_IN_USE",
  TestFailed: "ETCD_TEST_FAILED",
  Timeout: "ETCD_TIMEOUT",
  TransferFailed: "ETCD_TRANSFER_FAILED",
  TransferRefused: "ETCD_TRANSFER_REFUSED",
  TtlNaN: "ETCD_TTL_NAN",
  Unauthorized: "ETCD_UNAUTHORIZED",
  V2Disabled: "ETCD_V2_DISABLED",
  V3Disabled: "ETCD_V3_DISABLED",
  V3Refused: "ETCD_V3_REFUSED",
  WatcherCleared: "ETCD_WATCHER_CLEARED",
};

/**
 * Returns whether an error is an `EtcdError`, or an error of the given class or a subclass of it. It
 * compares `code`, so that it also recognizes errors of another copy of the package, where `instanceof`
 * fails.
 *
 * `AbortError` is not an `EtcdError`. `isEtcdError(error, "Abort")` recognizes it, and Node's own
 * `AbortError`.
 *
 * @example
 * if (isEtcdError(error, "KeyNotFound")) console.log(error.key);
 *
 * @throws TypeError for a name that is not in {@link EtcdErrorMap}
 */
export function isEtcdError(error: unknown): error is EtcdError;
export function isEtcdError<Name extends EtcdErrorName>(
  error: unknown,
  name: Name,
): error is EtcdErrorMap[Name];
export function isEtcdError(error: unknown, name?: EtcdErrorName): boolean {
  if (name !== undefined && !Object.hasOwn(CODES, name)) {
    throw new OptionError("name", `${inspect(name)} is not a name in EtcdErrorMap`);
  }
  if (!(error instanceof Error && "code" in error && typeof error.code === "string")) return false;
  return name === undefined
    ? error.code.startsWith("ETCD_")
    : [CODES[name]].flat().includes(error.code);
}
