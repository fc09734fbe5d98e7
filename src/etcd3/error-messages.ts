/** etcd's messages. Nothing else in this library knows their wording. */

import { OutcomeUnknownError } from "../errors/cluster-errors.js";
import { V3RefusedError } from "../errors/v3-errors.js";

/**
 * What an error of the v3 API means for its request:
 * - `refused`: processed, not applied; every member would refuse it.
 * - `refused-or-applied`: refused by every member, but a write may have been applied.
 * - `unauthorized`: refused because a permission is missing.
 * - `token`: not processed, because the token is not known; a new token may help.
 * - `elsewhere`: certainly not applied; another member may accept it.
 * - `unknown`: it may have been applied, or may still be.
 */
export type RetryClass =
  | "refused"
  | "refused-or-applied"
  | "unauthorized"
  | "token"
  | "elsewhere"
  | "unknown";

/** The reasons for a refusal that callers distinguish. */
export type RefusalReason =
  | "auth-disabled"
  | "compacted"
  | "future-revision"
  | "key-not-found"
  | "lease-exists"
  | "lease-not-found"
  | "member-exists"
  | "no-space"
  | "peer-url-exists"
  | "too-large"
  | "too-many-operations";

const WRONG_PASSWORD = "etcdserver: authentication failed, invalid user ID or password";

/**
 * Messages with their retry class. HTTP statuses and gRPC codes are not sufficient: 503 and
 * UNAVAILABLE cover both requests that were never proposed and proposals whose outcome is unknown.
 */
const MESSAGES: readonly (readonly [message: string, RetryClass, RefusalReason?])[] = [
  ["etcdserver: permission denied", "unauthorized"],
  [WRONG_PASSWORD, "unauthorized"],
  ["etcdserver: invalid auth token", "token"],
  ["etcdserver: user name is empty", "token"],
  ["etcdserver: revision of auth store is old", "token"],
  // Rejected before anything was proposed.
  ["etcdserver: no leader", "elsewhere"],
  ["etcdserver: too many requests", "elsewhere"],
  ["etcdserver: unhealthy cluster", "elsewhere"],
  ["etcdserver: rpc not supported for learner", "elsewhere"],
  ["etcdserver: not capable", "elsewhere"],
  ["raft proposal dropped", "elsewhere"],
  // Proposed, or possibly proposed.
  ["etcdserver: request timed out", "unknown"],
  ["etcdserver: request timed out, possibly due to previous leader failure", "unknown"],
  ["etcdserver: request timed out, possibly due to connection lost", "unknown"],
  ["etcdserver: request timed out, waiting for the applied index took too long", "unknown"],
  ["etcdserver: leader changed", "unknown"],
  ["etcdserver: server stopped", "unknown"],
  ["etcdserver: request cancelled", "unknown"],
  ["context deadline exceeded", "unknown"],
  ["context canceled", "unknown"],
  ["transport is closing", "unknown"],
  // No member accepts it, because the quota applies to all of them. The write that exceeds the quota is applied, though.
  ["etcdserver: mvcc: database space exceeded", "refused-or-applied", "no-space"],
  // The request itself is the cause.
  ["etcdserver: request is too large", "refused", "too-large"],
  ["etcdserver: too many operations in txn request", "refused", "too-many-operations"],
  ["etcdserver: mvcc: required revision has been compacted", "refused", "compacted"],
  ["etcdserver: mvcc: required revision is a future revision", "refused", "future-revision"],
  ["etcdserver: key not found", "refused", "key-not-found"],
  ["etcdserver: lease already exists", "refused", "lease-exists"],
  ["etcdserver: requested lease not found", "refused", "lease-not-found"],
  ["etcdserver: member ID already exist", "refused", "member-exists"],
  ["etcdserver: Peer URLs already exists", "refused", "peer-url-exists"],
  ["etcdserver: authentication is not enabled", "refused", "auth-disabled"],
];

const RETRY_CLASSES = new Map(MESSAGES.map(([message, retryClass]) => [message, retryClass]));
const REASONS = new Map(MESSAGES.map(([message, , reason]) => [message, reason]));

/** The JSON gateway could not connect to its member, so nothing was sent. */
const NOT_CONNECTED = /connection error: desc = "transport: (?:Error|error) while dialing/;

/** A gRPC server or proxy refuses a request, or a proxy a response. */
const MESSAGE_TOO_LARGE = /^grpc: (?:received|trying to send) message larger than max/;
const MAX_MESSAGE_SIZE = /larger than max \(\d+ vs\. (\d+)\)/;

/**
 * gRPC codes of errors that a member returns after processing the request: INVALID_ARGUMENT,
 * NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED.
 */
const REFUSED_CODES: ReadonlySet<number> = new Set([3, 5, 6, 7, 9, 11, 12]);

/** @param grpcCode numeric gRPC status */
export function retryClassOf(message: string, grpcCode: number): RetryClass {
  const known = RETRY_CLASSES.get(message);
  if (known !== undefined) return known;
  if (NOT_CONNECTED.test(message)) return "elsewhere";
  if (MESSAGE_TOO_LARGE.test(message)) return "refused";
  return REFUSED_CODES.has(grpcCode) ? "refused" : "unknown";
}

/** Why etcd refused the request; `undefined` if this is another error or another reason. */
export function refusalReasonOf(error: unknown): RefusalReason | undefined {
  const refusal = refusalIn(error);
  if (refusal === undefined) return undefined;
  const { detail } = refusal;
  return REASONS.get(detail) ?? (MESSAGE_TOO_LARGE.test(detail) ? "too-large" : undefined);
}

/** etcd's refusal, also of a write that may have been applied. */
export function refusalIn(error: unknown): V3RefusedError | undefined {
  const cause = error instanceof OutcomeUnknownError ? error.cause : error;
  return cause instanceof V3RefusedError ? cause : undefined;
}

/** Whether a message of etcd says that the user or the password is wrong, not that a right is missing. */
export function saysWrongPassword(message: string): boolean {
  return message === WRONG_PASSWORD;
}

/** Whether a message of etcd or gRPC, or one that quotes it, says that a request is too large. */
export function saysTooLarge(message: string): boolean {
  return /too large|larger than max/.test(message);
}

/** The maximum size of a gRPC message, if the request was refused because one exceeded it. */
export function maxMessageSizeIn(error: unknown): number | undefined {
  if (!(error instanceof V3RefusedError)) return undefined;
  const [, limit] = MAX_MESSAGE_SIZE.exec(error.detail) ?? [];
  return limit === undefined ? undefined : Number(limit);
}

/** etcd 3.4 reports an expired token as a missing permission. */
const WATCH_DENIED = /etcdserver: (?:permission denied|invalid auth token|user name is empty)/;

/** The message in the reason for which etcd canceled a watch, if a new token may help. */
export function watchDenialIn(cancelReason: string): string | undefined {
  return WATCH_DENIED.exec(cancelReason)?.[0];
}

/** Bodies of etcd without the JSON gateway, or too old for the current path of the gateway. */
const NOT_SERVED: ReadonlySet<string> = new Set(["404 page not found\n", "Not Found\n"]);

/** Whether a member does not serve the JSON gateway at the path. */
export function isNotServed(status: number, body: string): boolean {
  return status === 404 && NOT_SERVED.has(body);
}

/**
 * With auth on, etcd's JSON gateway rejects certificates with a Common Name: it cannot forward the
 * user.
 */
export function isNamedCertificateRefusal(body: string): boolean {
  return body.startsWith("CommonName of client sending a request against gateway");
}
