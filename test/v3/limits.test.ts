import { afterAll, beforeAll, expect, it } from "vitest";
import type { V3Api } from "../../src/etcd3/v3-api.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { startHttpProxy } from "../connections/http-proxy.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import {
  describeEtcdSideBySide,
  describeWithEtcd,
  type EtcdCluster,
  startEtcd,
} from "../support/etcd.js";
import { inBatches } from "../support/in-batches.js";
import { apiOf, V3Tool } from "./v3-tools.js";

for (const release of ["3.4", "3.6", "3.7"] as const) {
  describeEtcdSideBySide(release, `limits of etcd ${release}`, () => {
    let etcd: EtcdCluster;
    let tool: V3Tool;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false });
      tool = new V3Tool(etcd.urls);
    });
    afterAll(async () => {
      tool?.close();
      await etcd?.stop();
    });

    it("paths of 62 levels are created in one request; deeper ones are refused before they are sent", async () => {
      const keySpace = v3KeySpaceOf(etcd.urls);
      const key = "/d".repeat(62);
      await keySpace.execute({ action: "set", key, value: "1" });
      await keySpace.execute({ action: "set", key, value: "2", ttl: 100 });
      await keySpace.execute({ action: "delete", key: "/d", recursive: true });
      await keySpace.execute({ action: "create", key: "/d".repeat(61), value: "", inOrder: true });
      await keySpace.execute({ action: "create", key, dir: true });
      const inOrder = { action: "create", key, value: "", inOrder: true } as const;
      await expect(keySpace.execute(inOrder)).rejects.toThrow(/63 levels/);
      const nodes = [
        { key: "/loaded", value: "1" },
        { key: `${key}/d`, value: "2" },
      ];
      await expect(keySpace.loading?.load(nodes)).rejects.toThrow(/63 levels/);
      await expect(keySpace.execute({ action: "get", key: "/loaded" })).rejects.toThrow(
        "not found",
      );
      for (const action of ["get", "delete"] as const) {
        const request = keySpace.execute({ action, key: `${key}/d` });
        await expect(request).rejects.toMatchObject({ errorCode: 209 });
        await expect(request).rejects.toThrow(/63 levels.*at most 62/);
      }
      await keySpace.close();
    });

    it("values of 1.4 MiB are accepted; etcd refuses larger ones", async () => {
      const keySpace = v3KeySpaceOf(etcd.urls);
      const value = "x".repeat(1.4 * 1024 * 1024);
      for (let round = 0; round < 2; round++) {
        await keySpace.execute({ action: "set", key: "/big", value });
      }
      expect((await keySpace.execute({ action: "get", key: "/big" })).node.value).toBe(value);
      const large = keySpace.execute({ action: "set", key: "/big", value: value + value });
      await expect(large).rejects.toMatchObject({ code: "ETCD_V3_REFUSED" });
      await expect(large).rejects.toThrow(/large/);
      await keySpace.close();
    });

    const forms = release === "3.6" ? (["gRPC", "JSON"] as const) : (["gRPC"] as const);
    it.each(forms)(
      "directories larger than maxResponseSize are read in pages, by %s",
      async (form) => {
        const proxy = form === "JSON" ? await startHttpProxy() : undefined;
        const dir = `/paged-${form}`;
        const ample = v3KeySpaceOf(etcd.urls);
        const keys = Array.from({ length: 120 }, (_, number) => `${dir}/in/${number}`);
        const value = "x".repeat(5_000);
        await inBatches(keys.length, (at) =>
          ample.execute({ action: "set", key: keys[at] ?? "", value }),
        );
        const small = v3KeySpaceOf(etcd.urls, "", {
          maxResponseSize: 200_000,
          timeout: 300_000,
          useProxy: proxy?.url ?? false,
        });
        const { node } = await small.execute({ action: "get", key: `${dir}/in` });
        expect(new Set(node.nodes?.map(({ key }) => key))).toEqual(new Set(keys));
        expect((await small.execute({ action: "get", key: dir })).node.nodes).toHaveLength(1);
        await inBatches(keys.length, async (at) => {
          const { node } = await small.execute({ action: "get", key: keys[at] ?? "" });
          expect(node.value).toBe(value);
        });
        const update = {
          action: "update",
          key: `${dir}/in`,
          dir: true,
          value: "",
          ttl: 100,
        } as const;
        const { etcdIndex } = await small.execute(update);
        const { node: moved } = await ample.execute({ action: "get", key: `${dir}/in` });
        expect(moved.nodes?.every(({ modifiedIndex }) => modifiedIndex > etcdIndex)).toBe(true);
        await Promise.all([small.close(), ample.close()]);
        await proxy?.[Symbol.asyncDispose]();
      },
    );

    it("a single value larger than maxResponseSize is an error that says so", async () => {
      const ample = v3KeySpaceOf(etcd.urls);
      await ample.execute({ action: "set", key: "/one/large", value: "x".repeat(100_000) });
      const [url = ""] = etcd.urls;
      const urls = [url, `${url}/`.replace("127.0.0.1", "localhost")];
      const small = v3KeySpaceOf(urls, "", { maxResponseSize: 50_000 });
      for (const key of ["/one", "/one/large"]) {
        await expect(small.execute({ action: "get", key })).rejects.toMatchObject({
          name: "ResponseTooLargeError",
          maxResponseSize: 50_000,
        });
      }
      await Promise.all([small.close(), ample.close()]);
    });

    it("a listing restarts when its revision is compacted while it is read", async () => {
      const keySpace = v3KeySpaceOf(etcd.urls);
      const keys = Array.from({ length: 2100 }, (_, number) => `/pages/${number}`);
      await inBatches(keys.length, (at) =>
        keySpace.execute({ action: "set", key: keys[at] ?? "", value: "1" }),
      );
      const lister = new V3KeySpace(compactingOnce(apiOf(etcd.urls), tool));
      const { node } = await lister.execute({ action: "get", key: "/pages" });
      expect(new Set(node.nodes?.map(({ key }) => key))).toEqual(new Set(keys));
      await lister.close();
      await keySpace.close();
    });
  });
}

describeWithEtcd("3.7", "an etcd that is full", () => {
  it("refuses writes with etcd's message, and responds to reads", async () => {
    const etcd = await startEtcd({ release: "3.7", args: ["--quota-backend-bytes=2000000"] });
    const keySpace = v3KeySpaceOf(etcd.urls);
    await keySpace.execute({ action: "set", key: "/a", value: "1" });
    const fill = async (): Promise<void> => {
      for (let number = 0; number < 100; number++) {
        await keySpace.execute({
          action: "set",
          key: `/fill/${number}`,
          value: "x".repeat(100_000),
        });
      }
    };
    // etcd executes the write that exceeds the quota, with the same error.
    await expect(fill()).rejects.toMatchObject({
      code: "ETCD_OUTCOME_UNKNOWN",
      cause: { code: "ETCD_V3_REFUSED", grpcCode: 8 },
    });
    await expect(keySpace.execute({ action: "set", key: "/a", value: "2" })).rejects.toThrow(
      /database space exceeded/,
    );
    expect((await keySpace.execute({ action: "get", key: "/a" })).node.value).toBe("1");
    await keySpace.close();
    await etcd.stop();
  });
});

/** Writes and compacts right after the first page of a listing. */
function compactingOnce(api: V3Api, tool: V3Tool): V3Api {
  let pages = 0;
  return {
    async call(rpc, request, call) {
      const response = await api.call(rpc, request, call);
      if (JSON.stringify(request).includes('"limit":1000') && ++pages === 1) {
        await tool.put("/other", "1");
        const { header } = await tool.ask("kv/range", { key: "AA==" });
        const { revision } = header as { revision: string };
        await tool.ask("kv/compaction", { revision, physical: true });
      }
      return response;
    },
    watch: (request, call) => api.watch(request, call),
    close: () => api.close(),
  };
}
