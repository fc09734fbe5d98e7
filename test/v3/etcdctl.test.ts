import { afterAll, beforeAll, expect, it } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { eventOf } from "../contract/events.js";
import { keyNotFound } from "../contract/refusals.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { grantLease, hasEtcdctl, etcdctl as run } from "./run-etcdctl.js";

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcdctl beside the v3 key space on etcd ${release}`, () => {
    let etcd: EtcdCluster;
    let keySpace: KeySpace;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false });
      keySpace = v3KeySpaceOf(etcd.urls);
    });
    afterAll(async () => {
      await keySpace?.close();
      await etcd?.stop();
    });

    const get = (key: string): Promise<EtcdResponse> => keySpace.execute({ action: "get", key });

    const etcdctl = (...args: readonly string[]): Promise<string> => run(etcd.urls, ...args);

    it.skipIf(!hasEtcdctl)("its puts and deletes appear in reads and watches", async () => {
      const begun = await keySpace.execute({ action: "set", key: "/begin", value: "" });
      await etcdctl("put", "/app/one", "1");
      await etcdctl("put", "/app/one", "2");
      await etcdctl("del", "/app/one");
      const watch = await keySpace.openWatch({
        key: "/app",
        recursive: true,
        waitIndex: begun.etcdIndex + 1,
        stream: true,
      });
      const told: unknown[] = [];
      for await (const { action, node, prevNode } of watch) {
        told.push([action, node.key, node.value, prevNode?.value]);
        if (told.length === 3) break;
      }
      expect(told).toEqual([
        ["set", "/app/one", "1", undefined],
        ["set", "/app/one", "2", "1"],
        ["delete", "/app/one", undefined, "2"],
      ]);
      await expect(get("/app/one")).rejects.toMatchObject(keyNotFound("/app"));
    });

    it.skipIf(!hasEtcdctl)("its leases are TTLs, and their end is an expiry", async () => {
      const lease = await grantLease(etcd.urls, 2);
      await etcdctl("put", "/leased", "1", `--lease=${lease}`);
      const { node, etcdIndex } = await get("/leased");
      expect(node.ttl).toBeLessThanOrEqual(2);
      const watch = await keySpace.openWatch({ key: "/leased", waitIndex: etcdIndex + 1 });
      expect(await eventOf(watch)).toMatchObject({ node: { key: "/leased" } });
      await expect(get("/leased")).rejects.toMatchObject(keyNotFound("/leased"));
    });

    it.skipIf(!hasEtcdctl)("it reads nodes as plain keys, and no other keys", async () => {
      await keySpace.execute({ action: "set", key: "/ours/a/b", value: "1" });
      await keySpace.execute({ action: "create", key: "/ours/dir", dir: true });
      await keySpace.execute({ action: "set", key: "/ours/ttl", value: "2", ttl: 100 });
      const printed = await etcdctl("get", "/ours", "--prefix");
      expect(printed).toBe("/ours/a/b\n1\n/ours/ttl\n2\n");
    });
  });
}
