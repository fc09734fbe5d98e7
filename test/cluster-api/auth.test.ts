import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** A refusal as etcd words it. */
const refusal = (status: number, detail: string) =>
  expect.objectContaining({ name: "AdminError", status, detail });

const INSUFFICIENT = refusal(401, "Insufficient credentials");

describeWithEtcd("3.4", "v2 auth", () => {
  let cluster: EtcdCluster;
  let guest: EtcdClient;
  let root: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    guest = new EtcdClient({ urls: cluster.urls });
    root = new EtcdClient({ urls: cluster.urls, username: "root", password: "pw" });
  });
  afterAll(async () => {
    await guest.close();
    await root.close();
    await cluster.stop();
  });

  test("is off at first, and credentials are not checked", async () => {
    expect(await guest.auth.isEnabled()).toBe(false);
    expect(await root.setNode("/before", "1")).toMatchObject({ action: "set" });
  });

  test("cannot be switched off twice", async () => {
    await expect(guest.auth.disable()).rejects.toEqual(refusal(409, "auth: already disabled"));
  });

  test("requires a user root before it is enabled", async () => {
    await expect(guest.auth.enable()).rejects.toEqual(
      refusal(409, "auth: No root user available, please create one"),
    );
  });

  test("is enabled, with a guest that may do everything", async () => {
    await guest.auth.users.create("root", { password: "pw" });
    await expect(guest.auth.enable()).resolves.toBeUndefined();
    expect(await guest.auth.isEnabled()).toBe(true);
    expect(await root.auth.roles.get("guest")).toEqual({
      role: "guest",
      permissions: { kv: { read: ["/*"], write: ["/*"] } },
    });
    await expect(root.auth.enable()).rejects.toEqual(refusal(409, "auth: already enabled"));
  });

  test("lets only root change it, its users, its roles and the members", async () => {
    await root.auth.users.create("other", { password: "pw" });
    await using other = new EtcdClient({
      urls: cluster.urls,
      username: "other",
      password: "pw",
    });
    for (const client of [guest, other]) {
      const { auth, members } = client;
      await expect(auth.enable()).rejects.toEqual(INSUFFICIENT);
      await expect(auth.disable()).rejects.toEqual(INSUFFICIENT);
      await expect(auth.users.list()).rejects.toEqual(INSUFFICIENT);
      await expect(auth.users.get("root")).rejects.toEqual(INSUFFICIENT);
      await expect(auth.users.update("root", { password: "mine" })).rejects.toEqual(INSUFFICIENT);
      await expect(auth.roles.list()).rejects.toEqual(INSUFFICIENT);
      await expect(auth.roles.create("r", { read: ["/*"] })).rejects.toEqual(INSUFFICIENT);
      await expect(members.add(["http://127.0.0.1:9"])).rejects.toEqual(INSUFFICIENT);
      await expect(members.remove("123abc")).rejects.toEqual(INSUFFICIENT);
    }
  });

  test("leaves information about the cluster open", async () => {
    expect(await guest.members.list()).toHaveLength(1);
    expect(await guest.machines()).toEqual(cluster.urls);
    expect(await guest.version()).toMatchObject({ etcdcluster: "3.4.0" });
    expect(await guest.health()).toMatchObject([{ healthy: true }]);
    expect(await guest.stats.store()).toMatchObject({ watchers: 0 });
  });

  test("keeps its root user", async () => {
    await expect(root.auth.users.remove("root")).rejects.toEqual(
      refusal(403, "auth: Cannot delete root user while auth is enabled."),
    );
  });

  test("accepts a new password of root at once", async () => {
    await root.auth.users.update("root", { password: "changed" });
    await expect(root.auth.users.list()).rejects.toEqual(INSUFFICIENT);
    await using renewed = new EtcdClient({
      urls: cluster.urls,
      username: "root",
      password: "changed",
    });
    await renewed.auth.users.update("root", { password: "pw" });
  });

  test("is switched off by root", async () => {
    await expect(root.auth.disable()).resolves.toBeUndefined();
    expect(await guest.auth.isEnabled()).toBe(false);
    expect(await guest.auth.users.list()).toMatchObject([{ user: "other" }, { user: "root" }]);
  });
});
