import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EtcdClient, type PermissionChange, UnauthorizedError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

describeWithEtcd("3.4", "permissions for keys", () => {
  let cluster: EtcdCluster;
  let root: EtcdClient;
  let guest: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", rootPassword: "pw" });
    root = as("root");
    guest = new EtcdClient({ urls: cluster.urls });
    await root.setNode("/dev/a", "1");
    await root.setNode("/exact", null, { dir: true });
  });
  afterAll(async () => {
    await guest.close();
    await root.close();
    await cluster.stop();
  });

  const as = (username: string, password = "pw") =>
    new EtcdClient({ urls: cluster.urls, username, password });

  /** A new user with a role of the same name. */
  const user = async (name: string, permissions: PermissionChange) => {
    await root.auth.roles.create(name, permissions);
    await root.auth.users.create(name, { password: "pw", roles: [name] });
    return as(name);
  };

  const denied = async (call: Promise<unknown>) => {
    await expect(call).rejects.toBeInstanceOf(UnauthorizedError);
    await expect(call).rejects.toMatchObject({
      errorCode: 110,
      status: 401,
      detail: "Insufficient credentials",
      index: 0,
    });
  };

  test("of root include everything", async () => {
    await root.setNode("/roots", "1");
    expect(await root.deleteNode("/roots")).toMatchObject({ action: "delete" });
  });

  test("to read allow reading and watching, not writing", async () => {
    await using reader = await user("reader", { read: ["/dev/*"] });
    expect(await reader.getNodeValue("/dev/a")).toBe("1");
    expect(await reader.getNode("/dev/a", { quorum: true })).toMatchObject({ action: "get" });
    const watching = reader.watchNode("/dev/watched", { waitIndex: root.lastIndex });
    await root.setNode("/dev/watched", "2");
    expect(await watching).toMatchObject({ action: "set" });
    await denied(reader.setNode("/dev/a", "2"));
    await denied(reader.deleteNode("/dev/a"));
    await denied(reader.watchNode("/other"));
  });

  test("to write allow every kind of write, not reading", async () => {
    await using writer = await user("writer", { write: ["/w/*"] });
    await writer.createNode("/w/a", "1");
    await writer.compareAndSwapNode("/w/a", { prevValue: "1" }, "2");
    await writer.updateNode("/w/a", "3");
    await writer.refreshNode("/w/a", 60);
    await writer.deleteNode("/w/a");
    await denied(writer.getNode("/w/a"));
    await denied(writer.createNode("/outside", "1"));
    await denied(writer.deleteNode("/dev/a"));
  });

  test("by prefix treat the prefix as text", async () => {
    await using prefixed = await user("prefixed", { read: ["/dev*"] });
    await root.setNode("/development", "1");
    expect(await prefixed.getNodeValue("/development")).toBe("1");
    expect(await prefixed.getNodeValue("/dev/a")).toBe("1");
  });

  test("for everything below a directory do not cover the directory, but for a slash", async () => {
    await using below = await user("below", { read: ["/dev/*"], write: ["/dev/w"] });
    await denied(below.getNode("/dev"));
    expect(await below.getNode("/dev/")).toMatchObject({ node: { key: "/dev", dir: true } });
    expect(await below.setNode("/dev/w", "1")).toMatchObject({ action: "set" });
    await denied(below.setNode("/dev/w/", "1"));
  });

  test("for exactly one key never cover a recursive request", async () => {
    await using exact = await user("exact", { read: ["/exact"], write: ["/exact"] });
    expect(await exact.getNode("/exact")).toMatchObject({ node: { dir: true } });
    await denied(exact.getNode("/exact", { recursive: true }));
    await denied(exact.deleteNode("/exact", { recursive: true }));
    await denied(exact.getNode("/exact/below"));
  });

  test("for an in-order key are those of its directory", async () => {
    await using poster = await user("poster", { write: ["/queue"] });
    const { node } = await poster.createInOrderNode("/queue", "1");
    await denied(poster.deleteNode(node.key));
  });

  test("add up over a user's roles, and without any role there are none", async () => {
    await root.auth.users.create("two", { password: "pw", roles: ["reader", "writer"] });
    await using two = as("two");
    expect(await two.getNodeValue("/dev/a")).toBe("1");
    await two.setNode("/w/two", "1");
    await root.auth.users.create("bare", { password: "pw" });
    await using bare = as("bare");
    await denied(bare.getNode("/dev/a"));
  });

  test("are checked when a watch begins: taking them away does not end it", async () => {
    await using watcher = await user("watcher", { read: ["/watched/*"] });
    const watching = watcher.watchNode("/watched/a");
    await expect.poll(async () => (await root.stats.store()).watchers).toBe(1);
    await root.auth.roles.update("watcher", { revoke: { read: ["/watched/*"] } });
    await root.setNode("/watched/a", "1");
    expect(await watching).toMatchObject({ action: "set" });
    await denied(watcher.watchNode("/watched/a"));
  });

  test("are refused with a wrong password, even if guests may do everything", async () => {
    expect(await guest.getNodeValue("/dev/a")).toBe("1");
    await using wrong = as("root", "guess");
    await denied(wrong.getNode("/dev/a"));
    await denied(wrong.setNode("/dev/a", "1"));
    await using unknown = as("unknown");
    await denied(unknown.getNode("/dev/a"));
  });

  describe("of a guest", () => {
    beforeAll(async () => {
      const everything = { read: ["/*"], write: ["/*"] };
      const pub = { read: ["/pub"], write: ["/pub"] };
      await root.auth.roles.update("guest", { revoke: everything, grant: pub });
    });

    test("are those of the role guest", async () => {
      await denied(guest.getNode("/dev/a"));
      await denied(guest.setNode("/dev/a", "1"));
      await denied(guest.getNode("/"));
    });

    test("cover recursive requests even for exactly one key", async () => {
      await root.setNode("/pub/below", "1");
      expect(await guest.getNode("/pub", { recursive: true })).toMatchObject({ action: "get" });
      expect(await guest.deleteNode("/pub", { recursive: true })).toMatchObject({
        action: "delete",
      });
    });

    test("for everything cover the root directory", async () => {
      await root.auth.roles.update("guest", { grant: { read: ["/*"] } });
      expect(await guest.getNode("/")).toMatchObject({ node: { key: "/", dir: true } });
    });

    test("are gone with the role", async () => {
      await root.auth.roles.remove("guest");
      await denied(guest.getNode("/pub"));
    });
  });
});
