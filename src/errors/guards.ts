import type { AbortError } from "./abort-error.js";
import type {
  ClusterUnavailableError,
  OutcomeUnknownError,
  V2DisabledError,
} from "./cluster-errors.js";
import type { KeyNotFoundError, NodeExistError, TestFailedError } from "./common-errors.js";
import type { EventIndexClearedError } from "./event-errors.js";
import type { InvalidValueError } from "./invalid-value-error.js";
import type { OwnershipLostError } from "./ownership-lost-error.js";

/** Guards by `code`, for where two copies of the package meet and `instanceof` fails. */
const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

export const isKeyNotFound = (error: unknown): error is KeyNotFoundError =>
  hasCode(error, "ETCD_KEY_NOT_FOUND");

export const isTestFailed = (error: unknown): error is TestFailedError =>
  hasCode(error, "ETCD_TEST_FAILED");

export const isNodeExist = (error: unknown): error is NodeExistError =>
  hasCode(error, "ETCD_NODE_EXIST");

export const isEventIndexCleared = (error: unknown): error is EventIndexClearedError =>
  hasCode(error, "ETCD_EVENT_INDEX_CLEARED");

export const isOutcomeUnknown = (error: unknown): error is OutcomeUnknownError =>
  hasCode(error, "ETCD_OUTCOME_UNKNOWN");

export const isClusterUnavailable = (error: unknown): error is ClusterUnavailableError =>
  hasCode(error, "ETCD_CLUSTER_UNAVAILABLE");

export const isV2Disabled = (error: unknown): error is V2DisabledError =>
  hasCode(error, "ETCD_V2_DISABLED");

export const isOwnershipLost = (error: unknown): error is OwnershipLostError =>
  hasCode(error, "ETCD_OWNERSHIP_LOST");

export const isInvalidValue = (error: unknown): error is InvalidValueError =>
  hasCode(error, "ETCD_INVALID_VALUE");

export const isAbort = (error: unknown): error is AbortError => hasCode(error, "ABORT_ERR");
