import { ProtocolError } from "../errors/cluster-errors.js";
import type { Role, User, UserWithRoleNames } from "../model/auth.js";
import type { LeaderStats, Member, SelfStats, StoreStats, Version } from "../model/cluster.js";
import type { HttpReply, HttpRequest } from "./http.js";
import { isObject, type JsonObject, readJson } from "./json.js";
import { originOf, readable, readSuccess } from "./reply.js";

type IsShape<T> = (value: unknown) => value is T;

/**
 * Reads a successful reply of the API besides keys, checked as far as callers rely on it.
 *
 * @throws AdminError when etcd refused, AttemptFailure when the reply is not usable
 */
export function decodeAdminReply<T>(
  request: HttpRequest,
  reply: HttpReply,
  isShape: IsShape<T>,
): T {
  const answer: unknown = readSuccess(request, reply, readJson);
  return readable(() => {
    if (isShape(answer)) return answer;
    throw new ProtocolError(`${originOf(request, reply)}: the answer has not the expected shape`);
  });
}

const isText = (value: unknown): value is string => typeof value === "string";

const isListOf = (value: unknown, isItem: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(isItem);

/** A predicate for objects whose named properties pass; other properties may be there. */
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
  id: isText,
  name: isText,
  peerURLs: (value) => isListOf(value, isText),
  clientURLs: (value) => isListOf(value, isText),
});

export const isMemberList = object<{ readonly members: readonly Member[] }>({
  members: (value) => isListOf(value, isMember),
});

const isGateway = object({ keyPrefix: isText });

export const isVersion = object<Version>({
  etcdserver: isText,
  etcdcluster: isText,
  gateway: (value) => value === undefined || isGateway(value),
});

export const isStoreStats = object<StoreStats>({ getsSuccess: isNumber, watchers: isNumber });

export const isSelfStats = object<SelfStats>({
  id: isText,
  state: isText,
  leaderInfo: object({ leader: isText }),
});

export const isLeaderStats = object<LeaderStats>({ leader: isText, followers: isObject });

export const isAuthState = object<{ readonly enabled: boolean }>({
  enabled: (value) => typeof value === "boolean",
});

const isKv = object({ read: isNullable(isText), write: isNullable(isText) });

export const isRole = object<Role>({ role: isText, permissions: object({ kv: isKv }) });

export const isRoleList = object<{ readonly roles: readonly Role[] | null }>({
  roles: isNullable(isRole),
});

export const isUser = object<User>({ user: isText, roles: isNullable(isRole) });

export const isUserList = object<{ readonly users: readonly User[] | null }>({
  users: isNullable(isUser),
});

export const isUserWithRoleNames = object<UserWithRoleNames>({
  user: isText,
  roles: isNullable(isText),
});
