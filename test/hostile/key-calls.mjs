// @ts-check
/** The calls of the client that end by themselves. Each one checks its result. */
import assert from "node:assert/strict";
import * as check from "./check-result.mjs";

/** @typedef {import("./call-context.mjs").Context} Context */

const LONG_VALUE = "1".repeat(5_000);
/** etcd refuses it, so the cluster behind a hostile server keeps its members. */
const BAD_PEER = ["no URL"];

/** The parts of a client that are asked for directly. @type {Record<string, (context: Context) => Promise<unknown>>} */
export const READS = {
  get: async ({ client, signal }) => check.responseTo(await client.getNode("/a", { signal }), "/a"),
  "get value": async ({ client, signal }) =>
    check.text(await client.getNodeValue("/a", { signal }), "value"),
  "get or null": async ({ client, signal }) => {
    const response = await client.getNode("/none", { signal, ignoreKeyNotFound: true });
    if (response !== null) check.responseTo(response, "/none");
  },
  list: async ({ client, signal }) =>
    check.responseTo(await client.getNode("/d", { sorted: true, signal }), "/d"),
  "list everything": async ({ client, signal }) =>
    check.responseTo(await client.getNode("/", { recursive: true, quorum: true, signal }), "/"),
  "get in a namespace": async ({ client, signal }) =>
    check.responseTo(await client.namespace("/d").getNode("/1", { signal }), "/1"),
  machines: async ({ client, signal }) => check.urls(await client.machines({ signal })),
  version: async ({ client, signal }) => check.version(await client.version({ signal })),
  health: async ({ client, signal }) => check.health(await client.health({ signal })),
  locate: async ({ client, signal }) => {
    const location = await client.keySpace.locate?.("/a", { signal });
    check.text(location?.clusterId, "clusterId");
    if (location?.revision !== undefined) check.index(location.revision, "revision");
  },
  members: async ({ client, signal }) => check.members(await client.members.list({ signal })),
  "leading member": async ({ client, signal }) =>
    check.member(await client.members.leader({ signal })),
  "statistics of the member": async ({ client, signal }) =>
    check.selfStats(await client.stats.self({ signal })),
  "statistics of the store": async ({ client, signal }) =>
    check.storeStats(await client.stats.store({ signal })),
  "statistics of the leader": async ({ client, signal }) =>
    check.leaderStats(await client.stats.leader({ signal })),
};

/** @type {Record<string, (context: Context) => Promise<unknown>>} */
export const WRITES = {
  set: async ({ client, signal }) =>
    check.responseTo(await client.setNode("/a", "1", { ttl: 60, signal }), "/a"),
  "set without nodes": async ({ client, signal }) =>
    check.origin(await client.setNode("/a", "1", { noValueOnSuccess: true, signal })),
  "set a directory": async ({ client, signal }) =>
    check.responseTo(await client.setNode("/e", null, { dir: true, ttl: 30, signal }), "/e"),
  create: async ({ client, signal }) =>
    check.response(await client.createNode("/new", LONG_VALUE, { ttl: 1, signal })),
  "create in order": async ({ client, signal }) =>
    check.response(await client.createInOrderNode("/o", "1", { ttl: 5, signal })),
  update: async ({ client, signal }) =>
    check.responseTo(await client.updateNode("/a", "2", { signal }), "/a"),
  "update a directory": async ({ client, signal }) =>
    check.responseTo(await client.updateNode("/d", null, { dir: true, ttl: 500, signal }), "/d"),
  refresh: async ({ client, signal }) =>
    check.responseTo(await client.refreshNode("/a", 60, { signal }), "/a"),
  delete: async ({ client, signal }) =>
    check.responseTo(await client.deleteNode("/e", { recursive: true, signal }), "/e"),
  "delete or null": async ({ client, signal }) => {
    const response = await client.deleteNode("/none", { signal, ignoreKeyNotFound: true });
    if (response !== null) check.responseTo(response, "/none");
  },
  "compare and swap": async ({ client, signal }) =>
    check.responseTo(
      await client.compareAndSwapNode("/a", { prevValue: LONG_VALUE }, "2", { signal }),
      "/a",
    ),
  "compare and delete": async ({ client, signal }) =>
    check.responseTo(await client.compareAndDeleteNode("/a", { prevIndex: 1 }, { signal }), "/a"),
  execute: async ({ client, signal }) =>
    check.response(
      await client.execute(
        { action: "set", key: "/a", value: "3" },
        { signal, attemptTimeout: 100 },
      ),
    ),
  "add a member": async ({ client, signal }) =>
    check.member(await client.members.add(BAD_PEER, { signal })),
  "update a member": ({ client, signal }) => client.members.update("bad", BAD_PEER, { signal }),
  "remove a member": ({ client, signal }) => client.members.remove("bad", { signal }),
};

/** The v3 API has none of them. @type {Record<string, (context: Context) => Promise<unknown>>} */
export const AUTH_CALLS = {
  "is auth enabled": async ({ client, signal }) =>
    assert.equal(typeof (await client.auth.isEnabled({ signal })), "boolean"),
  users: async ({ client, signal }) =>
    check.listOf(check.user)(await client.auth.users.list({ signal })),
  user: async ({ client, signal }) => check.user(await client.auth.users.get("u", { signal })),
  roles: async ({ client, signal }) =>
    check.listOf(check.role)(await client.auth.roles.list({ signal })),
  role: async ({ client, signal }) => check.role(await client.auth.roles.get("r", { signal })),
  "enable auth": ({ client, signal }) => client.auth.enable({ signal }),
  "disable auth": ({ client, signal }) => client.auth.disable({ signal }),
  "create a user": async ({ client, signal }) =>
    check.userWithRoleNames(await client.auth.users.create("u", { password: "p" }, { signal })),
  "update a user": async ({ client, signal }) =>
    check.userWithRoleNames(await client.auth.users.update("u", { grant: ["r"] }, { signal })),
  "remove a user": ({ client, signal }) => client.auth.users.remove("u", { signal }),
  "create a role": async ({ client, signal }) =>
    check.role(await client.auth.roles.create("r", { read: ["/a"], write: [] }, { signal })),
  "update a role": async ({ client, signal }) =>
    check.role(await client.auth.roles.update("r", { grant: { read: ["/b"] } }, { signal })),
  "remove a role": ({ client, signal }) => client.auth.roles.remove("r", { signal }),
};
