export { type ClusterChange, EtcdClient } from "./client/etcd-client.js";
export type {
  DeleteOptions,
  DirectoryOptions,
  FileOptions,
  GetOptions,
  IgnoreKeyNotFound,
  RefreshOptions,
  SwapOptions,
  WatchNodeOptions,
} from "./client/operation-options.js";
export type {
  EtcdClientOptions,
  PemCertificate,
  Pkcs12Certificate,
} from "./client/options.js";
export type { FailoverTrace, RequestTrace, WatchTrace } from "./cluster/tracing.js";
export { AbortError } from "./errors/abort-error.js";
export { AdminError } from "./errors/admin-error.js";
export {
  type Attempt,
  ClusterUnavailableError,
  OutcomeUnknownError,
  ProtocolError,
  TimeoutError,
  V2DisabledError,
} from "./errors/cluster-errors.js";
export {
  DirNotEmptyError,
  KeyNotFoundError,
  NodeExistError,
  NotDirError,
  NotFileError,
  RootReadOnlyError,
  TestFailedError,
  UnauthorizedError,
} from "./errors/common-errors.js";
export { EtcdError } from "./errors/etcd-error.js";
export { EventIndexClearedError, WatcherClearedError } from "./errors/event-errors.js";
export {
  isAbort,
  isClusterUnavailable,
  isEventIndexCleared,
  isKeyNotFound,
  isNodeExist,
  isOutcomeUnknown,
  isTestFailed,
  isV2Disabled,
} from "./errors/guards.js";
export {
  IndexNaNError,
  InvalidFieldError,
  InvalidFormError,
  PrevValueRequiredError,
  RefreshTtlRequiredError,
  RefreshValueError,
  TtlNaNError,
} from "./errors/post-form-errors.js";
export { LeaderElectError, RaftInternalError } from "./errors/raft-errors.js";
export {
  EtcdCommonError,
  EtcdEventError,
  EtcdPostFormError,
  EtcdRaftError,
  EtcdServerError,
  type ServerErrorInfo,
} from "./errors/server-error.js";
export { V3DisabledError, V3RefusedError } from "./errors/v3-errors.js";
export type {
  AuthApi,
  NewUser,
  PermissionChange,
  RoleChange,
  RolesApi,
  UserChange,
  UsersApi,
} from "./key-space/auth-api.js";
export type { ClusterApi, MembersApi, StatsApi } from "./key-space/cluster-api.js";
export type { CallOptions, ExecuteOptions, KeySpace, KeyWatch } from "./key-space/key-space.js";
export type { Permissions, Role, User, UserWithRoleNames } from "./model/auth.js";
export type {
  EndpointHealth,
  FollowerStats,
  LeaderStats,
  Member,
  SelfStats,
  StoreStats,
  Version,
} from "./model/cluster.js";
export type {
  CompareAndDeleteRequest,
  CompareAndSwapRequest,
  Condition,
  CreateRequest,
  DeleteRequest,
  GetRequest,
  KeyRequest,
  SetRequest,
  UpdateRequest,
  WatchRequest,
} from "./model/key-request.js";
export { type EtcdNode, expirationTime } from "./model/node.js";
export type { Action, AnswerOrigin, EtcdReceipt, EtcdResponse } from "./model/response.js";
export type { RecipeClient } from "./recipes/recipe-client.js";
export type { Clock } from "./time/clock.js";
export type { WatchChange, WatchItem, WatchResync } from "./watch/watch-item.js";
export type { Watcher, WatchOptions } from "./watch/watcher.js";
export type { JsonDeserializer } from "./wire/json.js";
