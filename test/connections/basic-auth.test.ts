import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, UnauthorizedError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

const PASSWORD = "pässwörd: 合言葉 🔑";

describeWithEtcd("3.4", "Basic auth", () => {
  let cluster: EtcdCluster;
  let root: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", rootPassword: PASSWORD });
    root = as("root", PASSWORD);
    await root.auth.roles.create("writer", { read: ["/w"], write: ["/w"] });
    await root.auth.users.create("writer", { password: "pw", roles: ["writer"] });
  });
  afterAll(async () => {
    await root.close();
    await cluster.stop();
  });

  const as = (username: string, password: string) =>
    new EtcdClient({ urls: cluster.urls, username, password });

  test("accepts any text as a password, also with colons", async () => {
    expect(await root.auth.users.list()).toMatchObject([{ user: "root" }, { user: "writer" }]);
    await using wrong = as("root", "passwort");
    await expect(wrong.getNode("/")).rejects.toBeInstanceOf(UnauthorizedError);
  });

  test("accepts any text without colons as a user name", async () => {
    const name = "jürgen 山田";
    await root.auth.users.create(name, { password: PASSWORD, roles: ["writer"] });
    await using etcd = as(name, PASSWORD);
    expect(await etcd.setNode("/w", "1")).toMatchObject({ action: "set" });
    expect(() => as("a:b", "pw")).toThrow("username");
  });

  test("is separate for each client in one process", async () => {
    await using writer = as("writer", "pw");
    const calls = Array.from({ length: 2 }, () => [
      root.setNode("/only-root", "1").then(() => "done"),
      writer.setNode("/w", "1").then(() => "done"),
      writer.setNode("/only-root", "1").catch((error: Error) => error.name),
    ]);
    const outcomes = await Promise.all(calls.flat());
    expect(outcomes).toEqual(calls.flatMap(() => ["done", "done", "UnauthorizedError"]));
  });

  test("is sent with watches and by a namespaced client", async () => {
    await using writer = as("writer", "pw");
    const watching = writer.watchNode("/w", { waitIndex: 1 });
    expect(await watching).toMatchObject({ node: { key: "/w" } });
    expect(await writer.namespace("/w").getNode("/")).toMatchObject({ node: { key: "/" } });
    await expect(writer.watchNode("/other")).rejects.toBeInstanceOf(UnauthorizedError);
  });
});
