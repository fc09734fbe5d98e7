/**
 * What an error of the v3 API means for its request:
 * - `refused`: processed, not applied; every member would refuse it.
 * - `unauthorized`: refused because a permission is missing.
 * - `token`: not processed, because the token is not known; a new token may help.
 * - `elsewhere`: certainly not applied; another member may accept it.
 * - `unknown`: it may have been applied, or may still be.
 */
export type RetryClass = "refused" | "unauthorized" | "token" | "elsewhere" | "unknown";

/** The request exceeds a size limit of etcd or of its gRPC server. */
const TOO_LARGE = "etcdserver: request is too large";
const MESSAGE_TOO_LARGE = /^grpc: (?:received|trying to send) message larger than max/;

/**
 * etcd's error messages. HTTP statuses and gRPC codes are not sufficient: 503 and UNAVAILABLE cover
 * both requests that were never proposed and proposals whose outcome is unknown.
 */
const RETRY_CLASSES: ReadonlyMap<string, RetryClass> = new Map([
  ["etcdserver: permission denied", "unauthorized"],
  ["etcdserver: authentication failed, invalid user ID or password", "unauthorized"],
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
  // No member accepts these: the quota applies to all of them, or the request itself is too large.
  ["etcdserver: mvcc: database space exceeded", "refused"],
  [TOO_LARGE, "refused"],
]);

/** The JSON gateway could not connect to its member, so nothing was sent. */
const NOT_CONNECTED = /connection error: desc = "transport: (?:Error|error) while dialing/;
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
  if (isRequestTooLarge(message)) return "refused";
  return REFUSED_CODES.has(grpcCode) ? "refused" : "unknown";
}

/** Whether a request was refused because of its size. */
export function isRequestTooLarge(message: string): boolean {
  return message === TOO_LARGE || MESSAGE_TOO_LARGE.test(message);
}
