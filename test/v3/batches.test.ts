import { afterAll, beforeAll, expect, it } from "vitest";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { toBase64 } from "../support/base64.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { apiOf, countedKeySpace, V3Tool } from "./v3-tools.js";

const ROOT = { username: "root", password: "root" };
const ALICE = { username: "alice", password: "secret" };

describeWithEtcd("3.7", "reads that go out together", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    const tool = new V3Tool(etcd.urls);
    await tool.put("/open/a", "1");
    await tool.put("/shut/a", "2");
    const permission = (start: string, end: string) => ({
      name: "alice",
      perm: { permType: "READWRITE", key: toBase64(start), range_end: toBase64(end) },
    });
    await tool.ask("auth/user/add", { name: "root", password: "root" });
    await tool.ask("auth/role/add", { name: "root" });
    await tool.ask("auth/user/grant", { user: "root", role: "root" });
    await tool.ask("auth/user/add", { name: "alice", password: "secret" });
    await tool.ask("auth/role/add", { name: "alice" });
    await tool.ask("auth/role/grant", permission("/open", "/open0"));
    await tool.ask("auth/role/grant", permission("\0etcdnet/", "\0etcdnet0"));
    await tool.ask("auth/user/grant", { user: "alice", role: "alice" });
    await tool.ask("auth/enable", {});
    tool.close();
  });
  afterAll(() => etcd?.stop());

  it("fail only for the forbidden key", async () => {
    const keySpace = new V3KeySpace(apiOf(etcd.urls, ALICE));
    const keys = Array.from({ length: 40 }, (_, number) => (number === 17 ? "/shut/a" : "/open/a"));
    const reads = keys.map((key) => keySpace.execute({ action: "get", key }));
    const results = await Promise.allSettled(reads);
    for (const [number, result] of results.entries()) {
      if (number === 17) {
        expect(result).toMatchObject({ reason: { errorCode: 110, key: "/shut/a" } });
      } else {
        expect(result).toMatchObject({ value: { node: { value: "1" } } });
      }
    }
    await keySpace.close();
  });

  it("a user needs permission for the records of the tree and for its own keys", async () => {
    const keySpace = new V3KeySpace(apiOf(etcd.urls, ALICE));
    await keySpace.execute({ action: "set", key: "/open/sub/b", value: "1" });
    await keySpace.execute({ action: "delete", key: "/open/sub", recursive: true });
    const forbidden = keySpace.execute({ action: "set", key: "/shut/b", value: "1" });
    await expect(forbidden).rejects.toMatchObject({ errorCode: 110 });
    await keySpace.close();
  });

  it("end only for the aborted read", async () => {
    const keySpace = new V3KeySpace(apiOf(etcd.urls, ROOT));
    const abort = new AbortController();
    const given = keySpace.execute({ action: "get", key: "/open/a" }, { signal: abort.signal });
    const other = keySpace.execute({ action: "get", key: "/open/a" });
    abort.abort(new Error("no longer wanted"));
    await expect(given).rejects.toMatchObject({ name: "AbortError", outcome: "none" });
    expect((await other).node.value).toBe("1");
    await keySpace.close();
  });
});

describeWithEtcd("3.7", "reads that go out together with writes", () => {
  it("see every write whose response arrived before they started", async () => {
    const etcd = await startEtcd({ release: "3.7", members: 3 });
    const [writer, reader] = [countedKeySpace(etcd.urls), countedKeySpace(etcd.urls)];
    const key = "/counter";
    for (let number = 0; number < 100; number++) {
      await writer.keySpace.execute({ action: "set", key, value: String(number) });
      const reads = Array.from({ length: 5 }, () =>
        reader.keySpace.execute({ action: "get", key, quorum: true }),
      );
      for (const { node } of await Promise.all(reads)) expect(node.value).toBe(String(number));
    }
    await writer.keySpace.close();
    await reader.keySpace.close();
    await etcd.stop();
  });
});
