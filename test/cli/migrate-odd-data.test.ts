import { afterAll, beforeAll, expect, it } from "vitest";
import {
  diffTrees,
  EtcdClient,
  type Loss,
  type MigrateOptions,
  migrate,
  TransferRefusedError,
} from "../../src/index.js";
import { createGateway, type Gateway, MemoryKeySpace } from "../../src/server/index.js";
import { toBase64 } from "../support/base64.js";
import {
  describeEtcdSideBySide,
  describeWithEtcd,
  type EtcdCluster,
  startEtcd,
} from "../support/etcd.js";
import { V3Tool } from "../v3/v3-tools.js";

const DEEP = "/d".repeat(70);
const MIB = 1024 * 1024;

/** Each case has its own directory, which is copied to the same key. */
describeEtcdSideBySide("3.4", "a migration of odd data from etcd 3.4", () => {
  describeWithEtcd("3.7", "to etcd 3.7", () => {
    let old: EtcdCluster;
    let fresh: EtcdCluster;
    let gateway: Gateway;
    const clients = new Map<string, EtcdClient>();
    const open = (name: string, url: string | undefined, api: "v2" | "v3"): void => {
      clients.set(name, new EtcdClient({ urls: [url ?? ""], api }));
    };
    const client = (name: "v2" | "v3" | "gateway"): EtcdClient => {
      const found = clients.get(name);
      if (found === undefined) throw new Error(name);
      return found;
    };

    beforeAll(async () => {
      old = await startEtcd({ release: "3.4" });
      fresh = await startEtcd({ release: "3.7" });
      gateway = await createGateway({ etcd: { urls: fresh.urls } });
      open("v2", old.urls[0], "v2");
      open("v3", fresh.urls[0], "v3");
      open("gateway", gateway.url, "v2");
    });
    afterAll(async () => {
      for (const each of clients.values()) await each[Symbol.asyncDispose]();
      await gateway?.close();
      await fresh?.stop();
      await old?.stop();
    });

    /** Puts a key whose path is percent-encoded, byte by byte if necessary. */
    const put = async (path: string, value: string): Promise<void> => {
      const body = `value=${value}`;
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      await fetch(`${old.urls[0]}/v2/keys${path}`, { method: "PUT", headers, body });
    };

    const differences = async (options: MigrateOptions): Promise<readonly string[]> => {
      const { from, to, prefix = "/" } = options;
      const told: string[] = [];
      for await (const { kind } of diffTrees({ from, to, prefix })) told.push(kind);
      return told.sort();
    };

    /** It is refused with such words, the target stays as it was, and with losses it has the rest. */
    const expectRefusal = async (
      sides: MigrateOptions,
      words: string | RegExp,
      lost: readonly Loss["kind"][],
      different: readonly string[],
    ): Promise<void> => {
      const refused = migrate(sides);
      await expect(refused).rejects.toThrow(TransferRefusedError);
      await expect(refused).rejects.toThrow(words);
      const there = await sides.to.getNode(sides.prefix ?? "/", { ignoreKeyNotFound: true });
      expect(there?.node.nodes).toBeUndefined();
      const kinds = new Set<string>();
      const onLoss = ({ kind }: Loss): void => void kinds.add(kind);
      const done = await migrate({ ...sides, lossy: true, onLoss });
      expect(done.lost).toBeGreaterThan(0);
      expect([...kinds].sort()).toEqual(lost);
      expect(new Set(await differences(sides))).toEqual(new Set(different));
      expect(await sides.to.getNodeValue(`${sides.prefix}/plain`)).toBe("1");
    };

    it.each(["v3", "gateway"] as const)("names paths too deep for %s", async (target) => {
      const prefix = `/deep-${target}`;
      await put(`${prefix}${DEEP}`, "precious");
      await put(`${prefix}/plain`, "1");
      const sides = { from: client("v2"), to: client(target), prefix };
      const words = /would have 63 levels in the target, which accepts at most 62/;
      await expectRefusal(sides, words, ["unholdable"], ["missing"]);
    });

    it("names keys that are not UTF-8, also if several look the same", async () => {
      const prefix = "/bytes";
      for (const name of ["k%FF", "k%FE", "k%EF%BF%BD", "alone%C3"])
        await put(`${prefix}/${name}`, name);
      await put(`${prefix}/dir%FF/x`, "1");
      await put(`${prefix}/text%EF%BF%BD`, "UTF-8");
      await put(`${prefix}/plain`, "1");
      const sides = { from: client("v2"), to: client("v3"), prefix };
      await expectRefusal(sides, /"\/k\ufffd" is not UTF-8/, ["unnamed"], ["unnamed"]);
      expect(await differences(sides)).toHaveLength(5);
      expect(await client("v3").getNodeValue(`${prefix}/text\ufffd`)).toBe("UTF-8");
    });

    it("names values that are not UTF-8", async () => {
      await put("/values/binary", "%FF%FE");
      await put("/values/plain", "1");
      const sides = { from: client("v2"), to: client("v3"), prefix: "/values" };
      await expectRefusal(sides, '"/binary" has a value with U+FFFD', ["replaced"], ["uncertain"]);
    });

    it.each(["v3", "gateway"] as const)("names values too large for %s", async (target) => {
      const prefix = `/large-${target}`;
      await put(`${prefix}/fits`, "x".repeat(1.4 * MIB));
      await put(`${prefix}/large`, "x".repeat(2 * MIB));
      await put(`${prefix}/plain`, "1");
      const sides = { from: client("v2"), to: client(target), prefix };
      await expectRefusal(
        sides,
        '"/large" has a value that the target refuses',
        ["too-large"],
        ["missing"],
      );
      expect(await client(target).getNodeValue(`${prefix}/fits`)).toHaveLength(
        Math.floor(1.4 * MIB),
      );
      const hidden = client("v3").getNode(`${prefix}/_etcdnet_migration_trial`);
      await expect(hidden).rejects.toThrow("Key not found");
    });

    it("copies unusual but valid data", async () => {
      const texts = { caf\u00e9: "composed", cafe\u0301: "decomposed", "\u{1f600}": "\u{10ffff}" };
      const from = client("v2");
      for (const [name, value] of Object.entries(texts)) await from.setNode(`/odd/${name}`, value);
      await from.setNode("/odd/empty", null, { dir: true });
      await from.createNode("/odd/session", null, { dir: true, ttl: 500 });
      await from.setNode("/odd/session/x", "");
      // Three bytes a character: 512 KiB of them are 1.5 MiB.
      const many = Array.from({ length: 60 }, (_, n) =>
        from.setNode(`/odd/wide/${n}`, "\u20ac".repeat(20_000)),
      );
      await Promise.all(many);
      const sides = { from, to: client("v3"), prefix: "/odd" };
      const { compared, total } = await migrate(sides);
      expect([compared, total]).toEqual([67, 67]);
      expect(await differences(sides)).toEqual([]);
    });

    it("copies a directory of 10,000 keys, and TTLs that end during the copy", async ({
      expect,
    }) => {
      const from = new EtcdClient({ keySpace: new MemoryKeySpace() });
      const keys = Array.from({ length: 10_000 }, (_, n) => `/huge/${n}`);
      for (const key of keys) await from.setNode(key, "1");
      for (let n = 0; n < 50; n++) await from.setNode(`/huge/short-${n}`, "1", { ttl: 1 });
      const sides = { from, to: client("v3"), prefix: "/huge" };
      const { written } = await migrate(sides);
      expect(written).toBeGreaterThanOrEqual(10_000);
      await expect.poll(() => differences(sides)).toEqual([]);
    });

    it("names v3 keys that v2 cannot represent", async () => {
      const tool = new V3Tool(fresh.urls);
      const strange = [
        "//empty",
        "/dot/./x",
        "/file/below",
        DEEP,
        Buffer.from("/bytes\xff", "latin1"),
      ];
      for (const key of strange) {
        const bytes = typeof key === "string" ? Buffer.from(key) : key;
        await tool.put(Buffer.concat([Buffer.from("/foreign"), bytes]), "1");
      }
      for (const key of ["/file", "/plain", "/file-2/x", "/file0"])
        await tool.put(`/foreign${key}`, "1");
      tool.close();
      const to = new EtcdClient({ keySpace: new MemoryKeySpace() });
      const sides = { from: client("v3"), to, prefix: "/foreign" };
      await expectRefusal(sides, /has no name in v2/, ["unnamed"], ["unnamed"]);
      expect(await differences(sides)).toHaveLength(strange.length);
      expect(await to.getNodeValue("/foreign/file-2/x")).toBe("1");
    });

    it("gives nodes in a directory with a TTL the end of that TTL", async () => {
      await client("v3").createNode("/leased", null, { dir: true, ttl: 500 });
      await put("/source/x", "1");
      const sides = { from: client("v2"), to: client("v3"), prefix: "/source" };
      await migrate({ ...sides, toPrefix: "/leased/copy" });
      const tool = new V3Tool(fresh.urls);
      const { kvs } = await tool.ask("kv/range", { key: toBase64("/leased/copy/x") });
      expect(kvs).toMatchObject([{ lease: expect.stringMatching(/^[1-9]/) }]);
      tool.close();
    });

    it("replaces external data of the target that hides copied nodes", async () => {
      const tool = new V3Tool(fresh.urls);
      await tool.put("/hiding/file", "a value here");
      await tool.put("/hiding/file/below", "a key below it");
      tool.close();
      await put("/hiding/file/below", "1");
      const sides = { from: client("v2"), to: client("v3"), prefix: "/hiding" };
      await migrate({ ...sides, overwrite: true });
      expect(await differences(sides)).toEqual([]);
    });
  });
});
