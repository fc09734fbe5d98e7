import { ProtocolError } from "../errors/cluster-errors.js";
import type { Role, User, UserWithRoleNames } from "../model/auth.js";
import type {
  FollowerStats,
  LeaderStats,
  Member,
  SelfStats,
  StoreStats,
  Version,
} from "../model/cluster.js";
import type { HttpRequest, HttpResponse } from "./http.js";
import { decodeResponse, readSuccess, requestAtEndpoint } from "./http-response.js";
import { isCount, isObject, type JsonObject, readJson } from "./json.js";

type IsShape<T> = (value: unknown) => value is T;

/**
 * Decodes a successful response of the API outside the key space. Checks the fields that callers
 * use.
 *
 * @throws AdminError when etcd refused
 * @throws AttemptFailure when the response is unusable
 */
export function decodeAdminResponse<T>(
  request: HttpRequest,
  response: HttpResponse,
  isShape: IsShape<T>,
): T {
  const body: unknown = readSuccess(request, response, readJson);
  return decodeResponse(() => {
    if (isShape(body)) return body;
    throw new ProtocolError(
      `${requestAtEndpoint(request, response)}: the response does not have the expected fields`,
    );
  });
}

const isString = (value: unknown): value is string => typeof value === "string";

/** Returns a predicate for objects whose named properties pass. Other properties are ignored. */
function object<T>(properties: Readonly<Record<string, Check>>): IsShape<T> {
  const checks = Object.entries(properties);
  return (value): value is T =>
    isObject(value) &&
    checks.every(([name, isProperty]) => isProperty((value as JsonObject)[name]));
}

/** A rate or a time. JSON can contain numbers that are infinite in JavaScript. */
const isAmount = (value: unknown): boolean => Number.isFinite(value) && Number(value) >= 0;

type Check = (value: unknown) => boolean;

const isNullable =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** The same check for several properties. */
const each = (names: readonly string[], check: Check): Readonly<Record<string, Check>> =>
  Object.fromEntries(names.map((name) => [name, check]));

const isListOf =
  (isItem: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(isItem);

const isStrings = isListOf(isString);

export const isMember = object<Member>({
  id: isString,
  name: isString,
  peerURLs: isStrings,
  clientURLs: isStrings,
});

export const isMemberList = object<{ readonly members: readonly Member[] }>({
  members: isListOf(isMember),
});

export const isVersion = object<Version>({
  etcdserver: isString,
  etcdcluster: isString,
  gateway: isOptional(object({ keyPrefix: isString })),
});

const COUNTED = [
  "gets",
  "sets",
  "delete",
  "update",
  "create",
  "compareAndSwap",
  "compareAndDelete",
];

export const isStoreStats = object<StoreStats>({
  ...each(
    COUNTED.flatMap((name) => [`${name}Success`, `${name}Fail`]),
    isCount,
  ),
  ...each(["expireCount", "watchers"], isCount),
});

export const isSelfStats = object<SelfStats>({
  ...each(["name", "id", "state", "startTime"], isString),
  leaderInfo: object(each(["leader", "uptime", "startTime"], isString)),
  ...each(["recvAppendRequestCnt", "sendAppendRequestCnt"], isCount),
  ...each(
    ["recvPkgRate", "recvBandwidthRate", "sendPkgRate", "sendBandwidthRate"],
    isOptional(isAmount),
  ),
});

const isFollower = object<FollowerStats>({
  latency: object(
    each(["current", "average", "standardDeviation", "minimum", "maximum"], isAmount),
  ),
  counts: object(each(["fail", "success"], isCount)),
});

export const isLeaderStats = object<LeaderStats>({
  leader: isString,
  followers: (value) => isObject(value) && Object.values(value).every(isFollower),
});

export const isAuthState = object<{ readonly enabled: boolean }>({
  enabled: (value) => typeof value === "boolean",
});

const isKv = object({ read: isNullable(isStrings), write: isNullable(isStrings) });

export const isRole = object<Role>({ role: isString, permissions: object({ kv: isKv }) });

export const isRoleList = object<{ readonly roles: readonly Role[] | null }>({
  roles: isNullable(isListOf(isRole)),
});

export const isUser = object<User>({ user: isString, roles: isOptional(isListOf(isRole)) });

export const isUserList = object<{ readonly users: readonly User[] | null }>({
  users: isNullable(isListOf(isUser)),
});

export const isUserWithRoleNames = object<UserWithRoleNames>({
  user: isString,
  roles: isNullable(isStrings),
});
