import { afterAll, beforeAll, expect, it } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { grpcCalls } from "./v3-tools.js";

const LIMITS = ["--max-txn-ops=16", "--max-request-bytes=65536"];

for (const release of ["3.4", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcd ${release} that takes small requests only`, () => {
    let etcd: EtcdCluster;
    let keySpace: KeySpace;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false, args: LIMITS });
      keySpace = v3KeySpaceOf(etcd.urls);
    });
    afterAll(async () => {
      await keySpace?.close();
      await etcd?.stop();
    });

    const set = (key: string, value = "1") => keySpace.execute({ action: "set", key, value });
    const get = (key: string) => keySpace.execute({ action: "get", key });
    const names = (count: number) => Array.from({ length: count }, (_, number) => `${number}`);

    it("responds to many reads at a time, and the client learns the limit", async () => {
      await set("/read", "here");
      const readMany = () => Promise.all(names(200).map(() => get("/read")));
      for (const { node } of await readMany()) expect(node.value).toBe("here");
      const before = await grpcCalls(etcd.urls[0], "Txn");
      await readMany();
      // 200 reads, 16 at a time, or 8 where 16 were not tried.
      expect((await grpcCalls(etcd.urls[0], "Txn")) - before).toBeLessThanOrEqual(26);
    });

    it("reads deep paths, and the error names the missing directory", async () => {
      const deep = `/deep${"/d".repeat(20)}`;
      await expect(get(deep)).rejects.toMatchObject({ errorCode: 100, detail: "/deep" });
    });

    it("moves the content of a directory to its new TTL", async () => {
      await Promise.all(names(60).map((name) => set(`/ttl/${name}`)));
      const update = { action: "update", key: "/ttl", dir: true, ttl: 1000 } as const;
      await keySpace.execute(update);
      const { node } = await keySpace.execute({ action: "get", key: "/ttl", recursive: true });
      expect(node.nodes).toHaveLength(60);
    });

    it("is filled", async () => {
      await keySpace.execute({ action: "create", key: "/load", dir: true });
      const value = "x".repeat(10_000);
      const nodes = names(40).map((name) => ({ key: `/load/${name}`, value }));
      await keySpace.loading?.load(nodes);
      expect((await get("/load")).node.nodes).toHaveLength(40);
    });
  });
}
