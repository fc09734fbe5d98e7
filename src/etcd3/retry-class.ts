/**
 * What an error of the v3 API says about its request:
 * `refused`: it was looked at and not carried out, and would not be elsewhere either.
 * `unauthorized`: refused for want of permission.
 * `token`: not looked at, because the token is no longer known; a new one may help.
 * `elsewhere`: certainly not carried out; another member may do it.
 * `unknown`: it may have been carried out, or may still be.
 */
export type RetryClass = "refused" | "unauthorized" | "token" | "elsewhere" | "unknown";

/** etcd, or gRPC before it, found the request too large for the member. */
const TOO_LARGE = "etcdserver: request is too large";
const MESSAGE_TOO_LARGE = /^grpc: (?:received|trying to send) message larger than max/;

/**
 * etcd's sentences. Neither the HTTP status nor the gRPC code is enough: 503 and UNAVAILABLE cover
 * both what was never proposed and what was proposed and not heard of again.
 */
const RETRY_CLASSES: ReadonlyMap<string, RetryClass> = new Map([
  ["etcdserver: permission denied", "unauthorized"],
  ["etcdserver: authentication failed, invalid user ID or password", "unauthorized"],
  ["etcdserver: invalid auth token", "token"],
  ["etcdserver: user name is empty", "token"],
  ["etcdserver: revision of auth store is old", "token"],
  // Turned away before anything was proposed.
  ["etcdserver: no leader", "elsewhere"],
  ["etcdserver: too many requests", "elsewhere"],
  ["etcdserver: unhealthy cluster", "elsewhere"],
  ["etcdserver: rpc not supported for learner", "elsewhere"],
  ["etcdserver: not capable", "elsewhere"],
  ["raft proposal dropped", "elsewhere"],
  // Proposed, or perhaps proposed.
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
  // A full disk stops every member; the request itself is at fault in the others.
  ["etcdserver: mvcc: database space exceeded", "refused"],
  [TOO_LARGE, "refused"],
]);

/** The gateway's own connection to its member could not be made: nothing went over it. */
const NOT_CONNECTED = /connection error: desc = "transport: (?:Error|error) while dialing/;
/**
 * gRPC codes of what a member says after looking at the request: INVALID_ARGUMENT, NOT_FOUND,
 * ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED.
 */
const REFUSALS: ReadonlySet<number> = new Set([3, 5, 6, 7, 9, 11, 12]);

/** @param grpcCode the number of the gRPC status */
export function retryClassOf(message: string, grpcCode: number): RetryClass {
  const known = RETRY_CLASSES.get(message);
  if (known !== undefined) return known;
  if (NOT_CONNECTED.test(message)) return "elsewhere";
  if (isRequestTooLarge(message)) return "refused";
  return REFUSALS.has(grpcCode) ? "refused" : "unknown";
}

/** Whether a request was refused for its size. */
export function isRequestTooLarge(message: string): boolean {
  return message === TOO_LARGE || MESSAGE_TOO_LARGE.test(message);
}
