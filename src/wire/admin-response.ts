import { ProtocolError } from "../errors/cluster-errors.js";
import type { Role, User, UserWithRoleNames } from "../model/auth.js";
import type { LeaderStats, Member, SelfStats, StoreStats, Version } from "../model/cluster.js";
import type { HttpRequest, HttpResponse } from "./http.js";
import { decodeResponse, readSuccess, requestAtEndpoint } from "./http-response.js";
import { isObject, type JsonObject, readJson } from "./json.js";

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

const isListOf = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isItem);

/** Returns a predicate for objects whose named properties pass. Other properties are ignored. */
function object<T>(properties: Readonly<Record<string, (value: unknown) => boolean>>): IsShape<T> {
  const checks = Object.entries(properties);
  return (value): value is T =>
    isObject(value) &&
    checks.every(([name, isProperty]) => isProperty((value as JsonObject)[name]));
}

const isNumber = (value: unknown): boolean => typeof value === "number";
const isNullable =
  (isItem: (item: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || value === undefined || isListOf(value, isItem);

export const isMember = object<Member>({
  id: isString,
  name: isString,
  peerURLs: (value) => isListOf(value, isString),
  clientURLs: (value) => isListOf(value, isString),
});

export const isMemberList = object<{ readonly members: readonly Member[] }>({
  members: (value) => isListOf(value, isMember),
});

const isGateway = object({ keyPrefix: isString });

export const isVersion = object<Version>({
  etcdserver: isString,
  etcdcluster: isString,
  gateway: (value) => value === undefined || isGateway(value),
});

export const isStoreStats = object<StoreStats>({ getsSuccess: isNumber, watchers: isNumber });

export const isSelfStats = object<SelfStats>({
  id: isString,
  state: isString,
  leaderInfo: object({ leader: isString }),
});

export const isLeaderStats = object<LeaderStats>({ leader: isString, followers: isObject });

export const isAuthState = object<{ readonly enabled: boolean }>({
  enabled: (value) => typeof value === "boolean",
});

const isKv = object({ read: isNullable(isString), write: isNullable(isString) });

export const isRole = object<Role>({ role: isString, permissions: object({ kv: isKv }) });

export const isRoleList = object<{ readonly roles: readonly Role[] | null }>({
  roles: isNullable(isRole),
});

export const isUser = object<User>({ user: isString, roles: isNullable(isRole) });

export const isUserList = object<{ readonly users: readonly User[] | null }>({
  users: isNullable(isUser),
});

export const isUserWithRoleNames = object<UserWithRoleNames>({
  user: isString,
  roles: isNullable(isString),
});
