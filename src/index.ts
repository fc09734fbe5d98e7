/// <reference types="node" preserve="true" />

export { EtcdClient, type EtcdClientEvents } from "./client/etcd-client.js";
export type { ClusterChange } from "./client/last-store.js";
export type {
  DeleteOptions,
  DirectoryOptions,
  FileOptions,
  GetOptions,
  IdempotencyOptions,
  IgnoreKeyNotFound,
  NoValueOnSuccess,
  RefreshOptions,
  SwapOptions,
  WatchNodeOptions,
} from "./client/operation-options.js";
export type {
  CertificateAuthorities,
  EtcdClientOptions,
  PemCertificate,
  Pkcs12Certificate,
  TlsOptions,
} from "./client/options.js";
export type {
  FailoverTrace,
  RequestTrace,
  WatchFailureTrace,
  WatchTrace,
} from "./diagnostics/channels.js";
export { AbortError } from "./errors/abort-error.js";
export { AdminError } from "./errors/admin-error.js";
export {
  type Attempt,
  ClusterUnavailableError,
  OutcomeUnknownError,
  ProtocolError,
  ResponseTooLargeError,
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
export type { EtcdErrorMap, EtcdErrorName } from "./errors/error-table.js";
export { EtcdError } from "./errors/etcd-error.js";
export { EventIndexClearedError, WatcherClearedError } from "./errors/event-errors.js";
export type { OptionNames } from "./errors/hint.js";
export { InvalidValueError, type ValueIssue } from "./errors/invalid-value-error.js";
export { isEtcdError } from "./errors/is-etcd-error.js";
export {
  SourceReplacedError,
  TargetInUseError,
  TransferFailedError,
  TransferRefusedError,
} from "./errors/migration-errors.js";
export { OptionError } from "./errors/option-error.js";
export { type LossReason, OwnershipLostError } from "./errors/ownership-lost-error.js";
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
export {
  DamagedRecordError,
  NestedPrefixError,
  V3DisabledError,
  V3RefusedError,
} from "./errors/v3-errors.js";
export type {
  AuthApi,
  NewUser,
  PermissionChange,
  RoleChange,
  RolesApi,
  UserChange,
  UsersApi,
} from "./key-space/auth-api.js";
export type {
  BulkLoading,
  ContinueOptions,
  LoadedNode,
  LoadOptions,
} from "./key-space/bulk-loading.js";
export type { CallOptions } from "./key-space/call-options.js";
export type { ClusterApi, MembersApi, StatsApi } from "./key-space/cluster-api.js";
export type { DataLocation } from "./key-space/data-location.js";
export type { ExecuteOptions, KeySpace, KeyWatch } from "./key-space/key-space.js";
export type { HistoryOptions, KeyHistory, PastChange, PastReads } from "./key-space/past.js";
export type {
  Changes,
  Resync,
  ResyncReason,
  SubscribeRequest,
  Subscription,
} from "./key-space/subscription.js";
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
  FileContent,
  GetRequest,
  KeyRequest,
  NewNode,
  SetRequest,
  TtlParameter,
  UpdateRequest,
  WatchRequest,
  WriteParameters,
} from "./model/key-request.js";
export {
  type EtcdDirectory,
  type EtcdFile,
  type EtcdNode,
  expirationTime,
  type NodeProperties,
  type RemovedNode,
} from "./model/node.js";
export type {
  Action,
  EtcdNodeResponse,
  EtcdReceipt,
  EtcdResponse,
  ResponseOrigin,
} from "./model/response.js";
export type { WatchChange, WatchItem, WatchResync } from "./model/watch-item.js";
export {
  type Config,
  type ConfigChange,
  type ConfigEvents,
  type ConfigOptions,
  config,
} from "./recipes/config/config.js";
export type { ConfigSchema, SchemaIssue, SchemaResult } from "./recipes/config/config-schema.js";
export type { Ownership } from "./recipes/contention/ownership.js";
export { Election, type ElectionOptions, type Leader } from "./recipes/election/election.js";
export type { Leadership } from "./recipes/election/leadership.js";
export type { KeepAlive } from "./recipes/lease/keep-alive.js";
export type {
  IfExists,
  KeepAliveEvents,
  KeepAliveOptions,
} from "./recipes/lease/keep-alive-options.js";
export type { LeaseOptions } from "./recipes/lease/lease-settings.js";
export { type AcquireOptions, Lock, type LockOptions } from "./recipes/lock/lock.js";
export type { LockHandle } from "./recipes/lock/lock-handle.js";
export { Mirror, type MirrorEvents } from "./recipes/mirror/mirror.js";
export type { MirrorChange, MirrorResync } from "./recipes/mirror/mirror-change.js";
export type { MirrorOptions } from "./recipes/mirror/mirror-options.js";
export { Queue, type QueueOptions, type TakeOptions } from "./recipes/queue/queue.js";
export type { QueueItem } from "./recipes/queue/queue-item.js";
export type { Instance, MalformedInstance } from "./recipes/registry/instance.js";
export type { InstanceEvent } from "./recipes/registry/instance-set.js";
export type { Registration } from "./recipes/registry/registration.js";
export {
  type RegisterOptions,
  Registry,
  type RegistryOptions,
} from "./recipes/registry/registry.js";
export type { RecipeClient } from "./recipes/shared/recipe-client.js";
export type { Clock } from "./time/clock.js";
export { type DiffOptions, diffTrees } from "./transfer/compare/diff-trees.js";
export type { Difference, NodeDifference } from "./transfer/compare/difference.js";
export type { Loss } from "./transfer/compare/loss.js";
export { migrate } from "./transfer/migrate/migrate.js";
export type { MigrateOptions } from "./transfer/migrate/migrate-options.js";
export type { MigrationProgress } from "./transfer/migrate/migration-progress.js";
export type { SourceAndTarget } from "./transfer/source/source-and-target.js";
export type { TreeEntry } from "./transfer/source/tree-entry.js";
export type { Watcher, WatchOptions } from "./watch/watcher.js";
export type { JsonDeserializer } from "./wire/json.js";
