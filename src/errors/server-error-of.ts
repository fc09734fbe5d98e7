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

type ServerErrorClass = new (info: ServerErrorInfo) => EtcdServerError;

const CLASS_BY_CODE: ReadonlyMap<number, ServerErrorClass> = new Map<number, ServerErrorClass>([
  [100, KeyNotFoundError],
  [101, TestFailedError],
  [102, NotFileError],
  [104, NotDirError],
  [105, NodeExistError],
  [107, RootReadOnlyError],
  [108, DirNotEmptyError],
  [110, UnauthorizedError],
  [201, PrevValueRequiredError],
  [202, TtlNaNError],
  [203, IndexNaNError],
  [209, InvalidFieldError],
  [210, InvalidFormError],
  [211, RefreshValueError],
  [212, RefreshTtlRequiredError],
  [300, RaftInternalError],
  [301, LeaderElectError],
  [400, WatcherClearedError],
  [401, EventIndexClearedError],
]);

/** Classes for the other codes, by hundreds. */
const CLASS_BY_GROUP: ReadonlyMap<number, ServerErrorClass> = new Map([
  [1, EtcdCommonError],
  [2, EtcdPostFormError],
  [3, EtcdRaftError],
  [4, EtcdEventError],
]);

/** Creates an error of the class for `info.errorCode`. */
export function serverErrorOf(info: ServerErrorInfo): EtcdServerError {
  const { errorCode } = info;
  const ServerError =
    CLASS_BY_CODE.get(errorCode) ??
    CLASS_BY_GROUP.get(Math.floor(errorCode / 100)) ??
    EtcdServerError;
  return new ServerError(info);
}
