import { AbortError } from "./abort-error.js";
import { AdminError } from "./admin-error.js";
import {
  ClusterUnavailableError,
  OutcomeUnknownError,
  ProtocolError,
  ResponseTooLargeError,
  TimeoutError,
  V2DisabledError,
} from "./cluster-errors.js";
import {
  DirNotEmptyError,
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
  RootReadOnlyError,
  TestFailedError,
  UnauthorizedError,
} from "./common-errors.js";
import { EventIndexClearedError, WatcherClearedError } from "./event-errors.js";
import { InvalidValueError } from "./invalid-value-error.js";
import {
  SourceReplacedError,
  TargetInUseError,
  TransferFailedError,
  TransferRefusedError,
} from "./migration-errors.js";
import { OptionError } from "./option-error.js";
import { OwnershipLostError } from "./ownership-lost-error.js";
import {
  IndexNaNError,
  InvalidFieldError,
  InvalidFormError,
  PrevValueRequiredError,
  RefreshTtlRequiredError,
  RefreshValueError,
  TtlNaNError,
} from "./post-form-errors.js";
import { LeaderElectError, RaftInternalError } from "./raft-errors.js";
import {
  EtcdCommonError,
  EtcdEventError,
  EtcdPostFormError,
  EtcdRaftError,
  EtcdServerError,
  type ServerErrorInfo,
} from "./server-error.js";
import {
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
  readonly Option: OptionError;
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

type ErrorClass<E> = abstract new (...args: never) => E;
type ServerErrorClass<E = EtcdServerError> = new (info: ServerErrorInfo) => E;

/** A class of errors, and the code of its errors. */
interface ErrorRow<E = Error> {
  readonly type: ErrorClass<E>;
  readonly code: string;
}

/** The class for an error code of etcd. */
interface ServerErrorRow<E = EtcdServerError> extends ErrorRow<E> {
  readonly type: ServerErrorClass<E>;
  readonly errorCode: number;
  /** Absent for the codes that no key space returns. */
  readonly definition: ErrorDefinition | undefined;
}

/** etcd's text and HTTP status for an error code. */
export interface ErrorDefinition {
  readonly reason: string;
  readonly status: number;
}

/** The classes of {@link EtcdErrorMap}. */
export const ERRORS = {
  Abort: row(AbortError, "ABORT_ERR"),
  Admin: row(AdminError, "ETCD_ADMIN"),
  ClusterUnavailable: row(ClusterUnavailableError, "ETCD_CLUSTER_UNAVAILABLE"),
  DamagedRecord: row(DamagedRecordError, "ETCD_DAMAGED_RECORD"),
  InvalidValue: row(InvalidValueError, "ETCD_INVALID_VALUE"),
  NestedPrefix: row(NestedPrefixError, "ETCD_NESTED_PREFIX"),
  Option: row(OptionError, "ETCD_OPTION"),
  OutcomeUnknown: row(OutcomeUnknownError, "ETCD_OUTCOME_UNKNOWN"),
  OwnershipLost: row(OwnershipLostError, "ETCD_OWNERSHIP_LOST"),
  Protocol: row(ProtocolError, "ETCD_PROTOCOL"),
  ResponseTooLarge: row(ResponseTooLargeError, "ETCD_RESPONSE_TOO_LARGE"),
  SourceReplaced: row(SourceReplacedError, "ETCD_SOURCE_REPLACED"),
  TargetInUse: row(TargetInUseError, "ETCD_TARGET_IN_USE"),
  Timeout: row(TimeoutError, "ETCD_TIMEOUT"),
  TransferFailed: row(TransferFailedError, "ETCD_TRANSFER_FAILED"),
  TransferRefused: row(TransferRefusedError, "ETCD_TRANSFER_REFUSED"),
  V2Disabled: row(V2DisabledError, "ETCD_V2_DISABLED"),
  V3Disabled: row(V3DisabledError, "ETCD_V3_DISABLED"),
  V3Refused: row(V3RefusedError, "ETCD_V3_REFUSED"),

  EtcdServer: row(EtcdServerError, "ETCD_SERVER"),
  EtcdCommon: row(EtcdCommonError, "ETCD_COMMON"),
  EtcdPostForm: row(EtcdPostFormError, "ETCD_POST_FORM"),
  EtcdRaft: row(EtcdRaftError, "ETCD_RAFT"),
  EtcdEvent: row(EtcdEventError, "ETCD_EVENT"),

  KeyNotFound: serverRow(KeyNotFoundError, "ETCD_KEY_NOT_FOUND", 100, {
    reason: "Key not found",
    status: 404,
  }),
  TestFailed: serverRow(TestFailedError, "ETCD_TEST_FAILED", 101, {
    reason: "Compare failed",
    status: 412,
  }),
  NotFile: serverRow(NotFileError, "ETCD_NOT_FILE", 102, { reason: "Not a file", status: 403 }),
  NotDir: serverRow(NotDirError, "ETCD_NOT_DIR", 104, { reason: "Not a directory", status: 400 }),
  NodeExist: serverRow(NodeExistError, "ETCD_NODE_EXIST", 105, {
    reason: "Key already exists",
    status: 412,
  }),
  RootReadOnly: serverRow(RootReadOnlyError, "ETCD_ROOT_READ_ONLY", 107, {
    reason: "Root is read only",
    status: 400,
  }),
  DirNotEmpty: serverRow(DirNotEmptyError, "ETCD_DIR_NOT_EMPTY", 108, {
    reason: "Directory not empty",
    status: 403,
  }),
  Unauthorized: serverRow(UnauthorizedError, "ETCD_UNAUTHORIZED", 110, {
    reason: "The request requires user authentication",
    status: 401,
  }),
  PrevValueRequired: serverRow(PrevValueRequiredError, "ETCD_PREV_VALUE_REQUIRED", 201, {
    reason: "PrevValue is Required in POST form",
    status: 400,
  }),
  TtlNaN: serverRow(TtlNaNError, "ETCD_TTL_NAN", 202, {
    reason: "The given TTL in POST form is not a number",
    status: 400,
  }),
  IndexNaN: serverRow(IndexNaNError, "ETCD_INDEX_NAN", 203, {
    reason: "The given index in POST form is not a number",
    status: 400,
  }),
  InvalidField: serverRow(InvalidFieldError, "ETCD_INVALID_FIELD", 209, {
    reason: "Invalid field",
    status: 400,
  }),
  InvalidForm: serverRow(InvalidFormError, "ETCD_INVALID_FORM", 210, {
    reason: "Invalid POST form",
    status: 400,
  }),
  RefreshValue: serverRow(RefreshValueError, "ETCD_REFRESH_VALUE", 211, {
    reason: "Value provided on refresh",
    status: 400,
  }),
  RefreshTtlRequired: serverRow(RefreshTtlRequiredError, "ETCD_REFRESH_TTL_REQUIRED", 212, {
    reason: "A TTL must be provided on refresh",
    status: 400,
  }),
  RaftInternal: serverRow(RaftInternalError, "ETCD_RAFT_INTERNAL", 300, {
    reason: "Raft Internal Error",
    status: 500,
  }),
  LeaderElect: serverRow(LeaderElectError, "ETCD_LEADER_ELECT", 301),
  WatcherCleared: serverRow(WatcherClearedError, "ETCD_WATCHER_CLEARED", 400),
  EventIndexCleared: serverRow(EventIndexClearedError, "ETCD_EVENT_INDEX_CLEARED", 401, {
    reason: "The event in requested index is outdated and cleared",
    status: 400,
  }),
} satisfies { readonly [Name in EtcdErrorName]: ErrorRow<EtcdErrorMap[Name]> };

/** Proves that the code is that of the class. */
function row<E extends { readonly code: string }>(
  type: ErrorClass<E>,
  code: NoInfer<E["code"]>,
): ErrorRow<E> {
  return { type, code };
}

function serverRow<E extends EtcdServerError>(
  type: ServerErrorClass<E>,
  code: NoInfer<E["code"]>,
  errorCode: number,
  definition?: ErrorDefinition,
): ServerErrorRow<E> {
  return { type, code, errorCode, definition };
}

/** Classes for the codes without a class of their own, by hundreds. */
const GROUPS: ReadonlyMap<number, ServerErrorClass> = new Map([
  [1, EtcdCommonError],
  [2, EtcdPostFormError],
  [3, EtcdRaftError],
  [4, EtcdEventError],
]);

const SERVER_ERRORS: ReadonlyMap<number, ServerErrorRow> = new Map(
  Object.values(ERRORS).flatMap((error) =>
    "errorCode" in error ? [[error.errorCode, error] as const] : [],
  ),
);

/** @throws RangeError for a code that no key space returns */
export function errorDefinition(errorCode: number): ErrorDefinition {
  const definition = SERVER_ERRORS.get(errorCode)?.definition;
  if (definition === undefined) throw new RangeError(`no etcd error ${errorCode}`);
  return definition;
}

/** Creates an error of the class for `info.errorCode`. */
export function serverErrorOf(info: ServerErrorInfo): EtcdServerError {
  const { errorCode } = info;
  const ServerError =
    SERVER_ERRORS.get(errorCode)?.type ??
    GROUPS.get(Math.floor(errorCode / 100)) ??
    EtcdServerError;
  return new ServerError(info);
}
