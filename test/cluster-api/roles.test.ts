import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type RolesApi } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** A refusal as etcd words it. */
const refusal = (status: number, detail: string) =>
  expect.objectContaining({ name: "AdminError", status, detail });

describeWithEtcd("3.4", "the roles of v2 auth", () => {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;
  let roles: RolesApi;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    etcd = new EtcdClient({ urls: cluster.urls });
    roles = etcd.auth.roles;
  });
  afterAll(async () => {
    await etcd.close();
    await cluster.stop();
  });

  test("contain only root at first", async () => {
    const root = { role: "root", permissions: { kv: { read: ["/*"], write: ["/*"] } } };
    expect(await roles.list()).toEqual([root]);
    expect(await roles.get("root")).toEqual(root);
  });

  test("are created with patterns of keys, and listed by name", async () => {
    const both = { role: "both", permissions: { kv: { read: ["/a/*"], write: ["/a/b"] } } };
    expect(await roles.create("both", { read: ["/a/*"], write: ["/a/b"] })).toEqual(both);
    const none = { role: "none", permissions: { kv: { read: [], write: [] } } };
    expect(await roles.create("none", {})).toEqual(none);
    expect(await roles.get("both")).toEqual(both);
    const names = (await roles.list()).map(({ role }) => role);
    expect(names).toEqual(["both", "none", "root"]);
  });

  test("get and lose patterns, some of which they never had", async () => {
    await roles.create("changing", { read: ["/c"], write: ["/c"] });
    expect(
      await roles.update("changing", {
        grant: { read: ["/b", "/a"] },
        revoke: { read: ["/c"], write: ["/never"] },
      }),
    ).toEqual({
      role: "changing",
      permissions: { kv: { read: ["/a", "/b"], write: ["/c"] } },
    });
    expect(await roles.update("changing", { revoke: { write: ["/c"] } })).toMatchObject({
      permissions: { kv: { write: [] } },
    });
  });

  test("are gone when removed", async () => {
    await roles.create("short", { read: ["/*"] });
    await expect(roles.remove("short")).resolves.toBeUndefined();
    await expect(roles.get("short")).rejects.toEqual(
      refusal(404, "auth: Role short does not exist."),
    );
    await expect(roles.remove("short")).rejects.toEqual(
      refusal(404, "auth: Role short doesn't exist."),
    );
  });

  test("are created once", async () => {
    await roles.create("once", { read: ["/a"] });
    await expect(roles.create("once", { read: ["/b"] })).rejects.toEqual(
      refusal(409, "auth: Role once already exists."),
    );
    expect(await roles.get("once")).toMatchObject({ permissions: { kv: { read: ["/a"] } } });
  });

  test("are not updated when that would change nothing or is not possible", async () => {
    await roles.create("stuck", { read: ["/a/*"], write: ["/w"] });
    await expect(roles.update("stuck", { grant: { read: ["/a/*"] } })).rejects.toEqual(
      refusal(409, "auth: Granting duplicate read permission /a/*"),
    );
    await expect(roles.update("stuck", { grant: { write: ["/w"] } })).rejects.toEqual(
      refusal(409, "auth: Granting duplicate write permission /w"),
    );
    await expect(roles.update("stuck", { revoke: { read: ["/never"] } })).rejects.toEqual(
      refusal(400, "auth: Role not updated. Use grant/revoke to update the role."),
    );
    await expect(roles.update("missing", { grant: { read: ["/a"] } })).rejects.toEqual(
      refusal(404, "auth: Role missing does not exist."),
    );
  });

  test("are never created by updating them", async () => {
    await expect(roles.update("ghost", {})).rejects.toThrow();
    await expect(roles.update("ghost", { grant: { read: [] } })).rejects.toThrow();
    await expect(roles.get("ghost")).rejects.toEqual(
      refusal(404, "auth: Role ghost does not exist."),
    );
  });

  test("named root cannot be touched", async () => {
    const untouchable = refusal(403, "auth: Cannot modify role root: is root role.");
    await expect(roles.create("root", {})).rejects.toEqual(untouchable);
    await expect(roles.update("root", { revoke: { read: ["/*"] } })).rejects.toEqual(untouchable);
    await expect(roles.remove("root")).rejects.toEqual(untouchable);
  });

  test("have no empty pattern, which would make etcd abort every checked request", async () => {
    await expect(roles.create("empty", { read: [""] })).rejects.toThrow(TypeError);
    await expect(roles.get("empty")).rejects.toMatchObject({ status: 404 });
    await roles.create("emptied", { read: ["/a"] });
    const grant = { write: ["/b", ""] };
    await expect(roles.update("emptied", { grant })).rejects.toThrow(TypeError);
    expect(await roles.get("emptied")).toMatchObject({ permissions: { kv: { write: [] } } });
  });

  test.each(["", ".", "..", "../users/kept", "a/b"])(
    "have no name like %j, which could change the path of a request",
    async (name) => {
      await etcd.auth.users.create("kept", { password: "pw", roles: ["none"] }).catch(() => {});
      await expect(roles.get(name)).rejects.toThrow(TypeError);
      await expect(roles.create(name, {})).rejects.toThrow(TypeError);
      await expect(roles.update(name, { grant: { read: ["/a"] } })).rejects.toThrow(TypeError);
      await expect(roles.remove(name)).rejects.toThrow(TypeError);
      expect(await etcd.auth.users.get("kept")).toMatchObject({ user: "kept" });
    },
  );
});
