import { expect, test } from "vitest";
import {
  isLeaderStats,
  isMember,
  isRole,
  isSelfStats,
  isStoreStats,
  isUser,
  isUserWithRoleNames,
  isVersion,
} from "./admin-response.js";

const STORE = Object.fromEntries(
  [
    ...["gets", "sets", "delete", "update", "create", "compareAndSwap", "compareAndDelete"].flatMap(
      (name) => [`${name}Success`, `${name}Fail`],
    ),
    ...["expireCount", "watchers"],
  ].map((name) => [name, 1]),
);
const SELF = {
  ...{ name: "a", id: "1", state: "StateLeader", startTime: "2020-01-01T00:00:00Z" },
  leaderInfo: { leader: "1", uptime: "1s", startTime: "2020-01-01T00:00:00Z" },
  ...{ recvAppendRequestCnt: 0, sendAppendRequestCnt: 1 },
};
const FOLLOWER = {
  latency: { current: 1, average: 1, standardDeviation: 0, minimum: 1, maximum: 2 },
  counts: { fail: 0, success: 5 },
};
const ROLE = { role: "r", permissions: { kv: { read: ["/a"], write: null } } };

/** Infinity stands for a JSON number such as 1e999. */
const INFINITE = JSON.parse("1e999");

test.each([
  [
    "a member",
    isMember,
    { id: "1", name: "", peerURLs: [], clientURLs: ["http://a:1"] },
    "clientURLs",
    [5],
  ],
  ["a version", isVersion, { etcdserver: "3.5.0", etcdcluster: "3.5.0" }, "gateway", {}],
  ["statistics of a store", isStoreStats, STORE, "createFail", undefined],
  ["statistics of a store", isStoreStats, STORE, "getsSuccess", INFINITE],
  ["statistics of a store", isStoreStats, STORE, "watchers", -1],
  ["statistics of a member", isSelfStats, SELF, "recvAppendRequestCnt", 0.5],
  ["statistics of a member", isSelfStats, SELF, "sendBandwidthRate", -0.5],
  ["statistics of a member", isSelfStats, SELF, "startTime", undefined],
  ["statistics of a member", isSelfStats, SELF, "leaderInfo", { leader: "1" }],
  ["statistics of a member", isSelfStats, SELF, "recvPkgRate", "5"],
  [
    "statistics of a leader",
    isLeaderStats,
    { leader: "1", followers: { a: FOLLOWER } },
    "followers",
    { a: null },
  ],
  [
    "statistics of a leader",
    isLeaderStats,
    { leader: "1", followers: {} },
    "followers",
    { a: { ...FOLLOWER, counts: {} } },
  ],
  ["a role", isRole, ROLE, "permissions", { kv: { read: [], write: undefined } }],
  ["a user", isUser, { user: "u", roles: [ROLE] }, "roles", null],
  [
    "a user with names of roles",
    isUserWithRoleNames,
    { user: "u", roles: null },
    "roles",
    undefined,
  ],
])(
  "%s is accepted, and refused if a property has another type",
  (_what, isShape, value, name, other) => {
    expect(isShape(value)).toBe(true);
    expect(isShape({ ...value, [name]: other })).toBe(false);
  },
);
