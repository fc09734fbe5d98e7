import { afterAll, beforeAll, expect, test } from "vitest";
import { type AuthApi, EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** A refusal as etcd words it. */
const refusal = (status: number, detail: string) =>
  expect.objectContaining({ name: "AdminError", status, detail });

describeWithEtcd("3.4", "the users of v2 auth", () => {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;
  let auth: AuthApi;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    etcd = new EtcdClient({ urls: cluster.urls });
    auth = etcd.auth;
  });
  afterAll(async () => {
    await etcd.close();
    await cluster.stop();
  });

  test("are none at first", async () => {
    expect(await auth.users.list()).toEqual([]);
  });

  test("are created without roles", async () => {
    expect(await auth.users.create("alice", { password: "pw" })).toMatchObject({ user: "alice" });
    expect(await auth.users.get("alice")).toEqual({ user: "alice" });
  });

  test("need an object with a password; an error names what is missing", async () => {
    const { users } = auth as unknown as { users: Record<string, (...args: unknown[]) => unknown> };
    for (const [call, field] of [
      [() => users.create?.("carol"), "user: "],
      [() => users.create?.("carol", "pw"), "user: "],
      [() => users.create?.("carol", {}), "password: "],
      [() => users.update?.("carol"), "change: "],
    ] as const) {
      await expect(call()).rejects.toThrow(new RegExp(`^${field}must be `));
    }
  });

  test("are created with roles, which need not exist yet", async () => {
    expect(await auth.users.create("bob", { password: "pw", roles: ["later"] })).toEqual({
      user: "bob",
      roles: ["later"],
    });
    await expect(auth.users.get("bob")).rejects.toEqual(
      refusal(404, "auth: Role later does not exist."),
    );
    await auth.roles.create("later", { read: ["/bob"] });
    const later = { role: "later", permissions: { kv: { read: ["/bob"], write: [] } } };
    expect(await auth.users.get("bob")).toEqual({ user: "bob", roles: [later] });
  });

  test("are listed by name, with whole roles", async () => {
    await auth.roles.create("listed", { write: ["/listed"] });
    await auth.users.create("zoe", { password: "pw", roles: ["listed"] });
    await auth.users.create("adam", { password: "pw" });
    const listed = await auth.users.list();
    expect(listed.map(({ user }) => user)).toEqual(listed.map(({ user }) => user).sort());
    expect(listed).toContainEqual({ user: "adam" });
    expect(listed).toContainEqual({
      user: "zoe",
      roles: [{ role: "listed", permissions: { kv: { read: [], write: ["/listed"] } } }],
    });
  });

  test("named root have the role root", async () => {
    expect(await auth.users.create("root", { password: "pw" })).toEqual({
      user: "root",
      roles: ["root"],
    });
    expect(await auth.users.get("root")).toMatchObject({ roles: [{ role: "root" }] });
    await auth.users.remove("root");
  });

  test("may have any name that is one step of a path", async () => {
    const user = "å b+c?d#e%f;g";
    await auth.users.create(user, { password: "pw" });
    expect(await auth.users.get(user)).toEqual({ user });
    await expect(auth.users.remove(user)).resolves.toBeUndefined();
  });

  test("get and lose roles and get new passwords", async () => {
    await auth.users.create("carl", { password: "pw", roles: ["r1"] });
    expect(
      await auth.users.update("carl", { grant: ["zz", "aa"], revoke: ["r1"], password: "new" }),
    ).toEqual({ user: "carl", roles: ["aa", "zz"] });
    expect(await auth.users.update("carl", { password: "newer" })).toMatchObject({ user: "carl" });
  });

  test("are gone when removed", async () => {
    await auth.users.create("dora", { password: "pw" });
    await expect(auth.users.remove("dora")).resolves.toBeUndefined();
    await expect(auth.users.get("dora")).rejects.toEqual(
      refusal(404, "auth: User dora does not exist."),
    );
    await expect(auth.users.remove("dora")).rejects.toEqual(
      refusal(404, "auth: User dora does not exist"),
    );
  });

  test("are created once: an existing one keeps its password", async () => {
    const exists = refusal(409, "auth: User erik already exists.");
    await auth.users.create("erik", { password: "first" });
    await expect(auth.users.create("erik", { password: "second" })).rejects.toEqual(exists);
    await expect(auth.users.create("erik", { password: "second", roles: ["r1"] })).rejects.toEqual(
      exists,
    );
  });

  test("are not created without a password", async () => {
    await expect(auth.users.create("frank", { password: "" })).rejects.toEqual(
      refusal(400, "auth: Cannot create user frank with an empty password"),
    );
  });

  test("are not updated when that would change nothing or is not possible", async () => {
    await auth.users.create("gina", { password: "pw", roles: ["r1"] });
    await expect(auth.users.update("gina", {})).rejects.toEqual(
      refusal(400, "auth: User not updated. Use grant/revoke/password to update the user."),
    );
    await expect(auth.users.update("gina", { grant: ["r1"] })).rejects.toEqual(
      refusal(409, "auth: Granting duplicate role r1 for user gina"),
    );
    await expect(auth.users.update("gina", { revoke: ["r9"] })).rejects.toEqual(
      refusal(409, "auth: Revoking ungranted role r9 for user gina"),
    );
    await expect(auth.users.update("nobody", { grant: ["r1"] })).rejects.toEqual(
      refusal(404, "auth: User nobody does not exist."),
    );
  });

  test("are never created by updating them", async () => {
    await expect(auth.users.update("henry", { password: "pw" })).rejects.toEqual(
      refusal(404, "auth: User henry does not exist."),
    );
    await expect(auth.users.get("henry")).rejects.toEqual(
      refusal(404, "auth: User henry does not exist."),
    );
  });

  test.each(["", ".", "..", "../roles/kept", "a/b"])(
    "have no name like %j, which could change the path of a request",
    async (name) => {
      await auth.roles.create("kept", {}).catch(() => {});
      await expect(auth.users.get(name)).rejects.toThrow(TypeError);
      await expect(auth.users.create(name, { password: "pw" })).rejects.toThrow(TypeError);
      await expect(auth.users.update(name, { password: "pw" })).rejects.toThrow(TypeError);
      await expect(auth.users.remove(name)).rejects.toThrow(TypeError);
      expect(await auth.roles.get("kept")).toMatchObject({ role: "kept" });
    },
  );
});
