import { afterAll, beforeAll, expect, it } from "vitest";
import type { KeySpace } from "../../src/key-space/key-space.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { eventOf } from "../contract/events.js";
import { keyNotFound } from "../contract/refusals.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "./v3-tools.js";

const NO_SPACE = /database space exceeded/;

for (const release of ["3.4", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcd ${release} without space`, () => {
    let etcd: EtcdCluster;
    let keySpace: KeySpace;
    let tool: V3Tool;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false });
      keySpace = v3KeySpaceOf(etcd.urls, "/tree");
      tool = new V3Tool(etcd.urls);
      for (const key of ["/file", "/compared", "/full/a", "/full/sub/b"]) {
        await keySpace.execute({ action: "set", key, value: "1" });
      }
      await keySpace.execute({ action: "create", key: "/empty", dir: true });
      await keySpace.execute({ action: "create", key: "/leased", dir: true, ttl: 1000 });
      await keySpace.execute({ action: "set", key: "/leased/a", value: "1" });
      await tool.put("/tree/implied/a", "1");
      await tool.put("/fresh/a", "1");
      await tool.ask("maintenance/alarm", { action: "ACTIVATE", alarm: "NOSPACE" });
    });
    afterAll(async () => {
      tool?.close();
      await keySpace?.close();
      await etcd?.stop();
    });

    /** The event of what `remove` does. */
    async function eventAt(key: string, remove: () => Promise<unknown>): Promise<EtcdResponse> {
      const watch = await keySpace.openWatch({ key });
      const [event] = await Promise.all([eventOf(watch), remove()]);
      return event;
    }

    it("accepts no value", async () => {
      const set = keySpace.execute({ action: "set", key: "/file", value: "2" });
      await expect(set).rejects.toThrow(NO_SPACE);
      const lease = keySpace.execute({ action: "set", key: "/file", value: "2", ttl: 5 });
      await expect(lease).rejects.toThrow(NO_SPACE);
    });

    it.each([
      { action: "delete", key: "/file" },
      { action: "delete", key: "/empty", dir: true },
      { action: "delete", key: "/full", recursive: true },
      { action: "delete", key: "/leased", recursive: true },
    ] as const)("lets nodes be deleted: $key", async (request) => {
      const { key } = request;
      const event = await eventAt(key, async () => {
        const answer = await keySpace.execute(request);
        expect(answer).toMatchObject({ action: "delete", prevNode: { key } });
      });
      expect(event).toMatchObject({ action: "delete", node: { key }, prevNode: { key } });
      await expect(keySpace.execute({ action: "get", key })).rejects.toMatchObject(
        keyNotFound(key),
      );
    });

    it("lets a directory be deleted that external keys imply", async () => {
      const key = "/implied";
      await keySpace.execute({ action: "delete", key, recursive: true });
      await expect(keySpace.execute({ action: "get", key })).rejects.toMatchObject(
        keyNotFound(key),
      );
    });

    it("lets nodes be deleted with a condition", async () => {
      const key = "/compared";
      const wrong = keySpace.execute({ action: "compareAndDelete", key, prevValue: "2" });
      await expect(wrong).rejects.toMatchObject({ errorCode: 101 });
      const right = { action: "compareAndDelete", key, prevValue: "1" } as const;
      const event = await eventAt(key, () => keySpace.execute(right));
      // Without the record of the action, watchers do not learn of the condition.
      expect(event).toMatchObject({ action: "delete", node: { key } });
    });

    it("lets a process delete in a tree without its own writes", async () => {
      const fresh = v3KeySpaceOf(etcd.urls, "/fresh");
      await fresh.execute({ action: "delete", key: "/a" });
      await expect(fresh.execute({ action: "get", key: "/a" })).rejects.toMatchObject(
        keyNotFound("/a"),
      );
      await fresh.close();
    });
  });
}
