import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RemoteV3Api } from "../../src/etcd3/remote-v3-api.js";
import {
  DamagedRecordError,
  EtcdServerError,
  OptionError,
  OutcomeUnknownError,
  TestFailedError,
  UnauthorizedError,
  V3RefusedError,
} from "../../src/index.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import type { V3KeySpaceOptions } from "../../src/key-space/v3/v3-key-space-options.js";
import type { KeyRequest } from "../../src/model/key-request.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { toBase64 } from "../support/base64.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { randomFrom } from "../support/random-from.js";
import { SEED } from "../support/seed.js";
import { type Fate, UnreliableApi } from "./unreliable-api.js";
import { ALICE, enableAuth, ROOT } from "./v3-auth.js";
import { apiOf, V3Tool } from "./v3-tools.js";

/** Writes with what must exist before. */
const WRITES: readonly (readonly [name: string, before: readonly KeyRequest[], KeyRequest])[] = [
  ["set of a new file", [], { action: "set", key: "/d/k", value: "new" }],
  ["set of a file", [file()], { action: "set", key: "/d/k", value: "new" }],
  ["set with a TTL", [file()], { action: "set", key: "/d/k", value: "new", ttl: 1000 }],
  ["set without the TTL", [file(500)], { action: "set", key: "/d/k", value: "new" }],
  ["refresh by set", [file(500)], { action: "set", key: "/d/k", refresh: true, ttl: 1000 }],
  ["set of a directory", [], { action: "set", key: "/d/k", dir: true, ttl: 1000 }],
  ["a directory instead of a file", [file()], { action: "set", key: "/d/k", dir: true }],
  ["create", [], { action: "create", key: "/d/k", value: "new" }],
  ["create of a directory", [], { action: "create", key: "/d/k", dir: true, ttl: 1000 }],
  ["create in order", [], { action: "create", key: "/d", value: "new", inOrder: true }],
  ["update", [file()], { action: "update", key: "/d/k", value: "new" }],
  ["update of a directory", tree(), { action: "update", key: "/d", dir: true, ttl: 1000 }],
  ["refresh", [file()], { action: "update", key: "/d/k", refresh: true, ttl: 1000 }],
  [
    "compareAndSwap",
    [file()],
    { action: "compareAndSwap", key: "/d/k", prevValue: "old", value: "new" },
  ],
  ["delete", [file()], { action: "delete", key: "/d/k" }],
  ["delete of a directory", [directory()], { action: "delete", key: "/d", dir: true }],
  ["delete of a tree", tree(), { action: "delete", key: "/d", recursive: true }],
  ["compareAndDelete", [file()], { action: "compareAndDelete", key: "/d/k", prevValue: "old" }],
];

function file(ttl?: number): KeyRequest {
  return { action: "set", key: "/d/k", value: "old", ...(ttl !== undefined && { ttl }) };
}

function directory(): KeyRequest {
  return { action: "create", key: "/d", dir: true };
}

function tree(): readonly KeyRequest[] {
  return [
    file(),
    { action: "create", key: "/d/sub", dir: true, ttl: 500 },
    { action: "set", key: "/d/sub/x", value: "1" },
  ];
}

/** Writes that are refused, their error, and changes after which they would be allowed. */
const REFUSED: readonly (readonly [
  name: string,
  before: readonly KeyRequest[],
  request: KeyRequest,
  code: number,
  allow: readonly KeyRequest[],
])[] = [
  [
    "create",
    [file()],
    { action: "create", key: "/d/k", value: "new" },
    105,
    [{ action: "delete", key: "/d/k" }],
  ],
  ["update", [], { action: "update", key: "/d/k", value: "new" }, 100, [file()]],
  [
    "compareAndSwap",
    [file()],
    { action: "compareAndSwap", key: "/d/k", prevValue: "x", value: "new" },
    101,
    [{ action: "set", key: "/d/k", value: "x" }],
  ],
  [
    "delete",
    [directory()],
    { action: "delete", key: "/d" },
    102,
    [
      { action: "set", key: "/other", value: "1" },
      { action: "delete", key: "/d", dir: true },
      { action: "set", key: "/d", value: "1" },
    ],
  ],
];

/** A response without what differs between two trees: indexes become ranks, times are omitted. */
function comparable(response: EtcdResponse): unknown {
  const { action, node, prevNode, etcdIndex } = response;
  const indexes = [node, prevNode].flatMap((at) => (at ? [at.modifiedIndex, at.createdIndex] : []));
  const ranks = [...new Set([etcdIndex, ...indexes])].sort((a, b) => a - b);
  const shown = (at: EtcdResponse["node"] | undefined) =>
    at && {
      ...at,
      key: at.key.replace(/\d{20}/, "NAME"),
      ttl: "ttl" in at && at.ttl !== undefined,
      expiration: undefined,
      modifiedIndex: ranks.indexOf(at.modifiedIndex),
      createdIndex: ranks.indexOf(at.createdIndex),
    };
  return { action, index: ranks.indexOf(etcdIndex), node: shown(node), prevNode: shown(prevNode) };
}

describeWithEtcd("3.6", "writes with idempotency records", () => {
  let etcd: EtcdCluster;
  let api: RemoteV3Api;
  let tool: V3Tool;
  let trees = 0;

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.6", v2: false });
    api = apiOf(etcd.urls);
    tool = new V3Tool(etcd.urls);
  });
  afterAll(async () => {
    tool?.close();
    api?.close();
    await etcd?.stop();
  });

  /** A tree on connections that break. */
  async function open(options: V3KeySpaceOptions = {}, before: readonly KeyRequest[] = []) {
    const broken = new UnreliableApi(api);
    const { keyPrefix = `/tree${trees++}` } = options;
    const keySpace = new V3KeySpace(broken, { recordsWrites: true, ...options, keyPrefix });
    await keySpace.register();
    for (const request of before) await keySpace.execute(request);
    const revision = async () => (await keySpace.locate("/")).revision ?? 0;
    const nodes = async () =>
      await keySpace.execute({ action: "get", key: "/", recursive: true, quorum: true });
    return { broken, keySpace, keyPrefix, revision, nodes };
  }

  /** How often each idempotency record of a tree was put. */
  const recordVersions = (keyPrefix: string) => tool.versions(`${keyPrefix}\0etcdnet/idempotency/`);
  const recordsOf = async (keyPrefix: string) => Object.keys(await recordVersions(keyPrefix));

  it("are found after a lost response, which is then the same", async () => {
    for (const [name, before, request] of WRITES) {
      const plain = await open({ recordsWrites: false }, before);
      const lossy = await open({}, before);
      const expected = comparable(await plain.keySpace.execute(request));
      const revision = await lossy.revision();
      lossy.broken.fates = ["lose-response"];
      const response = await lossy.keySpace.execute(request);
      expect.soft(comparable(response), name).toEqual(expected);
      expect.soft(response.etcdIndex, name).toBe(revision + 1);
    }
  });

  it("are applied once, also when attempts arrive after the response", async () => {
    await Promise.all(
      WRITES.map(async ([name, before, request]) => {
        const plain = await open({ recordsWrites: false }, before);
        const lossy = await open({}, before);
        const expected = comparable(await plain.keySpace.execute(request));
        lossy.broken.fates = ["delay", "lose-request", "lose-response"];
        expect.soft(comparable(await lossy.keySpace.execute(request)), name).toEqual(expected);
        const records = await recordVersions(lossy.keyPrefix);
        const versions = await tool.versions(`${lossy.keyPrefix}/`);
        await lossy.broken.deliver();
        expect.soft(await tool.versions(`${lossy.keyPrefix}/`), name).toEqual(versions);
        expect.soft(await recordVersions(lossy.keyPrefix), name).toEqual(records);
      }),
    );
  });

  it("are refused for certain: an attempt that arrives later changes nothing", async () => {
    for (const [name, before, request, errorCode, allow] of REFUSED) {
      const { broken, keySpace, revision } = await open({}, before);
      broken.fates = ["delay", "pass", "lose-response"];
      await expect.soft(keySpace.execute(request), name).rejects.toMatchObject({ errorCode });
      // Now the tree would allow the write.
      for (const change of allow) await keySpace.execute(change);
      const reached = await revision();
      await broken.deliver();
      expect.soft(await revision(), name).toBe(reached);
    }
  });

  it("are successful if the refusal was caused by their own attempt", async () => {
    const { broken, keySpace } = await open();
    broken.fates = ["lose-response"];
    // Not even the record is read before the snapshot is.
    const value = "v".repeat(40_000);
    const response = await keySpace.execute({ action: "set", key: "/big", value });
    expect(response.node).toMatchObject({ value });
    broken.fates = ["lose-response"];
    const removed = await keySpace.execute({ action: "delete", key: "/big", recursive: true });
    expect(removed).toMatchObject({ action: "delete", prevNode: { value } });
  });

  it("keep an unknown outcome only while the cluster cannot be reached", async () => {
    const { broken, keySpace } = await open({ timeout: 1_000 });
    broken.fates = Array.from({ length: 100 }, () => "lose-request");
    const write = keySpace.execute({ action: "set", key: "/a", value: "1" });
    await expect(write).rejects.toThrow(OutcomeUnknownError);
    broken.fates = [];
    await keySpace.execute({ action: "set", key: "/b", value: "1" });
  });

  it("report an abort after a lost response as unknown", async () => {
    const { broken, keySpace } = await open();
    const caller = new AbortController();
    broken.fates = ["lose-response", "lose-request"];
    broken.beforeWrite = async () => {
      if (broken.fates.length === 0) caller.abort();
    };
    const { signal } = caller;
    const write = keySpace.execute({ action: "set", key: "/a", value: "1" }, { signal });
    await expect(write).rejects.toMatchObject({ name: "AbortError", outcome: "unknown" });
  });

  it("are counted exactly by concurrent writers on broken connections", async () => {
    const { keyPrefix, keySpace } = await open({}, [{ action: "set", key: "/n", value: "0" }]);
    const random = randomFrom(SEED);
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const own = await open({ keyPrefix });
        for (let round = 0; round < 5; round++) {
          own.broken.fates = Array.from(
            { length: 3 },
            () => FATES[Math.floor(random() * 4)] ?? "pass",
          );
          await increment(own.keySpace, "/n");
          await own.keySpace.execute({ action: "create", key: "/q", value: "x", inOrder: true });
          await own.broken.deliver();
        }
      }),
    );
    const { node } = await keySpace.execute({ action: "get", key: "/n", quorum: true });
    expect(node).toMatchObject({ value: "40" });
    const queue = await keySpace.execute({ action: "get", key: "/q", quorum: true });
    expect("nodes" in queue.node && queue.node.nodes?.length).toBe(40);
  });

  it("share a few records and one lease, however many they are", async () => {
    const { keyPrefix, keySpace } = await open();
    const before = await tool.leases();
    for (let round = 0; round < 100; round++) {
      const writes = Array.from({ length: 10 }, (_, n) =>
        keySpace.execute({ action: "set", key: `/${n}`, value: `${round}` }),
      );
      await Promise.all(writes);
    }
    expect((await recordsOf(keyPrefix)).length).toBeLessThanOrEqual(10);
    expect(await tool.leases()).toHaveLength(before.length + 1);
  });

  it("are not shown to readers and watches", async () => {
    const { keyPrefix, keySpace, nodes } = await open();
    const watch = await keySpace.openWatch({ key: "/", recursive: true, stream: true });
    await keySpace.execute({ action: "set", key: "/a", value: "1" }, { idempotencyKey: "first" });
    for (const record of await recordsOf(keyPrefix)) await tool.del(record);
    await keySpace.execute({ action: "set", key: "/b", value: "2" });
    const seen: string[] = [];
    for await (const { action, node } of watch) {
      seen.push(`${action} ${node.key}`);
      if (node.key === "/b") break;
    }
    expect(seen).toEqual(["set /a", "set /b"]);
    const { node } = await nodes();
    expect("nodes" in node && node.nodes?.map(({ key }) => key)).toEqual(["/a", "/b"]);
    const unnamed = [];
    for await (const key of keySpace.unnamedKeys("/")) unnamed.push(key);
    expect(unnamed).toEqual([]);
  });

  it("continue when their lease has ended", async () => {
    const { broken, keySpace, keyPrefix } = await open({}, [file()]);
    const [record] = await recordsOf(keyPrefix);
    await tool.ask("lease/revoke", { ID: record?.split("/").at(-2) });
    await keySpace.execute({ action: "update", key: "/d/k", value: "2" });
    const [next] = await recordsOf(keyPrefix);
    expect(next).not.toBe(record);
    // The record is gone, so nobody can know. An attempt that arrives late is refused.
    broken.fates = ["delay", "lose-request"];
    broken.beforeWrite = async () => {
      if (broken.fates.length > 0) return;
      await tool.ask("lease/revoke", { ID: next?.split("/").at(-2) });
    };
    const write = keySpace.execute({ action: "update", key: "/d/k", value: "3" });
    await expect(write).rejects.toThrow(OutcomeUnknownError);
    const { node } = await keySpace.execute({ action: "get", key: "/d/k", quorum: true });
    await broken.deliver();
    expect((await keySpace.execute({ action: "get", key: "/d/k", quorum: true })).node).toEqual(
      node,
    );
  });

  it("cost one put in the transaction, and no more requests", async () => {
    for (const [name, before, request] of WRITES) {
      const [plain, recorded] = [
        await open({ recordsWrites: false }, before),
        await open({}, before),
      ];
      const costs = [plain, recorded].map(async ({ broken, keySpace }) => {
        broken.operations.length = 0;
        await keySpace.execute(request);
        return broken.operations;
      });
      const [operations = [], more = []] = await Promise.all(costs);
      expect.soft(more.length, name).toBe(operations.length);
      expect.soft(sumOf(more) - sumOf(operations), name).toBe(1);
    }
  });

  it.each([false, true])("are possible with 62 levels, with records: %s", async (recordsWrites) => {
    const path = (name: string, levels: number): string => `/${name}${"/d".repeat(levels - 1)}`;
    for (let levels = 58; levels <= 62; levels++) {
      const { keySpace } = await open({ recordsWrites });
      const keys = ["set", "dir", "new", "newDir"].map((name) => path(name, levels));
      const [set = "", dir = "", made = "", madeDir = ""] = keys;
      const queue = path("queue", levels - 1);
      await keySpace.execute({ action: "set", key: set, value: "1", ttl: 1000 });
      await keySpace.execute({ action: "set", key: set, dir: true });
      await keySpace.execute({ action: "set", key: dir, dir: true });
      await keySpace.execute({ action: "create", key: made, value: "1" });
      await keySpace.execute({ action: "create", key: madeDir, dir: true });
      await keySpace.execute({ action: "create", key: queue, value: "1", inOrder: true });
      for (const key of keys) await keySpace.execute({ action: "delete", key, recursive: true });
    }
  });

  it("are found after a compaction, without the previous node", async () => {
    const { broken, keySpace, revision } = await open({}, [file()]);
    broken.fates = ["lose-response", "pass"];
    broken.beforeWrite = async () => {
      if (broken.fates[0] === "pass")
        await tool.ask("kv/compaction", { revision: (await revision()) + 1 }).catch(() => {});
      if (broken.fates[0] === "pass")
        await tool.ask("kv/compaction", { revision: await revision() });
    };
    const response = await keySpace.execute({ action: "update", key: "/d/k", value: "new" });
    expect(response).toMatchObject({ action: "update", node: { key: "/d/k", value: "new" } });
    expect(response.prevNode).toBeUndefined();
    expect(response.node.modifiedIndex).toBe(response.etcdIndex);
  });

  it("let removals make space", async () => {
    const own = await startEtcd({ release: "3.6", v2: false });
    const admin = new V3Tool(own.urls);
    await using keySpace = closing(new V3KeySpace(apiOf(own.urls), { recordsWrites: true }));
    for (const key of ["/a", "/b", "/c"]) {
      await keySpace.execute({ action: "set", key, value: "1" });
    }
    await admin.ask("maintenance/alarm", { action: "ACTIVATE", alarm: "NOSPACE" });
    const refused = keySpace.execute({ action: "set", key: "/a", value: "2" });
    // The record shows that the write was not applied, which the error alone does not.
    await expect(refused).rejects.toThrow(V3RefusedError);
    await expect(refused).rejects.toThrow(/database space exceeded/);
    await keySpace.execute({ action: "delete", key: "/a" });
    // Without a lease for the records.
    await using fresh = closing(new V3KeySpace(apiOf(own.urls), { recordsWrites: true }));
    await fresh.execute({ action: "delete", key: "/b" });
    const once = { idempotencyKey: "k" };
    const removal = fresh.execute({ action: "delete", key: "/c" }, once);
    await expect(removal).rejects.toThrow(/database space exceeded/);
    admin.close();
    await own.stop();
  });

  it("name the option if the permission for the records is missing", async () => {
    const own = await startEtcd({ release: "3.6", v2: false });
    const admin = new V3Tool(own.urls, ROOT);
    await enableAuth(new V3Tool(own.urls));
    const [key, range_end] = ["/alice\0", "/alice0"].map(toBase64);
    await admin.ask("auth/role/revoke", { role: "alice", key, range_end });
    const [from, to] = ["/alice/", "/alice0"].map(toBase64);
    const perm = { permType: "READWRITE", key: from, range_end: to };
    await admin.ask("auth/role/grant", { name: "alice", perm });
    const [offset] = ["/alice\0etcdnet/offset"].map(toBase64);
    await admin.ask("auth/role/grant", { name: "alice", perm: { permType: "READ", key: offset } });
    const options = { keyPrefix: "/alice", recordsWrites: true };
    await using keySpace = closing(new V3KeySpace(apiOf(own.urls, ALICE), options));
    const set = { action: "set", key: "/a", value: "1" } as const;
    await expect(keySpace.execute(set)).rejects.toThrow(UnauthorizedError);
    await expect(keySpace.execute(set)).rejects.toThrow(
      /retryUnknownWrites: "safe" also needs permission .*"\/alice\\u0000etcdnet\/idempotency\/"/,
    );
    await expect(keySpace.execute(set, { idempotencyKey: "k" })).rejects.toThrow(
      /idempotencyKey also needs/,
    );
    admin.close();
    await own.stop();
  });

  describe("with a key of the caller", () => {
    const once = { idempotencyKey: "order 1" };

    it("have the same response for everyone who sends them again", async () => {
      for (const [name, before, request] of WRITES) {
        const { keySpace, keyPrefix, revision } = await open({ recordsWrites: false }, before);
        const { etcdServer: _, raftTerm: __, ...first } = await keySpace.execute(request, once);
        const other = await open({ keyPrefix, recordsWrites: false });
        const reached = await revision();
        const second = await other.keySpace.execute({ ...request }, once);
        expect
          .soft(comparable(second), name)
          .toEqual(comparable({ ...first, ...second, ...first }));
        expect.soft(second.etcdIndex, name).toBe(first.etcdIndex);
        expect.soft(await revision(), name).toBe(reached);
      }
    });

    it("never seem to have failed when the history cannot be read", async () => {
      const set = { action: "set", key: "/a", value: "1" } as const;
      const { keySpace, keyPrefix } = await open();
      const { etcdIndex } = await keySpace.execute(set, once);
      for (const failures of [1, Number.POSITIVE_INFINITY]) {
        const other = await open({ keyPrefix, timeout: 1_000 });
        let isFirst = true;
        other.broken.beforeWrite = async () => {
          if (isFirst || failures > 1) other.broken.failingReads = failures;
          isFirst = false;
        };
        const outcome = await other.keySpace.execute(set, once).catch((error: unknown) => error);
        if (failures > 1) expect(outcome).toBeInstanceOf(OutcomeUnknownError);
        else expect(outcome).toMatchObject({ etcdIndex });
      }
    });

    it("are carried out once by concurrent processes", async () => {
      const { keyPrefix } = await open();
      const responses = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const { keySpace } = await open({ keyPrefix });
          return await keySpace.execute(
            { action: "create", key: "/q", value: "1", inOrder: true },
            once,
          );
        }),
      );
      expect(new Set(responses.map(({ node }) => node.key)).size).toBe(1);
    });

    it("stay refused, also for attempts that arrive later", async () => {
      const refused = REFUSED.map(async ([name, before, request, errorCode, allow]) => {
        const { keyPrefix, keySpace } = await open({ recordsWrites: false }, before);
        const errorOf = () => keySpace.execute(request, once).catch((error: unknown) => error);
        const crashed = await open({ keyPrefix, timeout: 1_000 });
        crashed.broken.fates = [
          "delay",
          ...Array.from({ length: 50 }, () => "lose-request" as const),
        ];
        const lost = crashed.keySpace.execute(request, once);
        await expect.soft(lost, name).rejects.toThrow(OutcomeUnknownError);
        const first = await errorOf();
        expect.soft(first, name).toMatchObject({ errorCode });
        for (const change of allow) await keySpace.execute(change);
        await crashed.broken.deliver();
        const again = await errorOf();
        expect.soft(again, name).toBeInstanceOf(EtcdServerError);
        const { detail } = first as EtcdServerError;
        expect.soft(again, name).toMatchObject({ errorCode, detail });
      });
      await Promise.all(refused);
    });

    it("are refused for another request with the same key", async () => {
      const { keySpace } = await open();
      await keySpace.execute({ action: "set", key: "/a", value: "1" }, once);
      const other = keySpace.execute({ action: "set", key: "/a", value: "2" }, once);
      await expect(other).rejects.toThrow(OptionError);
      await expect(other).rejects.toThrow(/idempotencyKey: was already used for another request/);
      expect((await keySpace.execute({ action: "get", key: "/a" })).node).toMatchObject({
        value: "1",
      });
    });

    it("report a damaged record", async () => {
      const { keySpace, keyPrefix } = await open();
      await tool.put(`${keyPrefix}\0etcdnet/idempotency/key/order 1`, "hello");
      const write = keySpace.execute({ action: "set", key: "/a", value: "1" }, once);
      await expect(write).rejects.toThrow(DamagedRecordError);
    });
  });
});

const FATES: readonly Fate[] = ["pass", "lose-request", "lose-response", "delay"];

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** Closes the key space at the end of a block. */
function closing(keySpace: V3KeySpace): V3KeySpace & AsyncDisposable {
  return Object.assign(keySpace, { [Symbol.asyncDispose]: () => keySpace.close() });
}

/** Adds 1 to a counter by compare-and-swap. */
async function increment(keySpace: V3KeySpace, key: string): Promise<void> {
  for (;;) {
    const { node } = await keySpace.execute({ action: "get", key, quorum: true });
    const value = `${Number("value" in node && node.value) + 1}`;
    const prevIndex = node.modifiedIndex;
    try {
      await keySpace.execute({ action: "compareAndSwap", key, prevIndex, value });
      return;
    } catch (error) {
      if (!(error instanceof TestFailedError)) throw error;
    }
  }
}
