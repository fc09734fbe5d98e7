import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KeyRequest } from "../../src/model/key-request.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { inBatches } from "../support/in-batches.js";
import { type Counted, countedKeySpace } from "./v3-tools.js";

const WRITE = ["kv/txn"];
const WITH_TTL = ["lease/grant", "kv/txn"];

describeWithEtcd("3.7", "v3 requests", () => {
  let etcd: EtcdCluster;
  let counted: Counted;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7" });
    counted = countedKeySpace(etcd.urls);
    await counted.keySpace.execute({ action: "set", key: "/begin", value: "" });
  });
  afterAll(async () => {
    await counted?.keySpace.close();
    await etcd?.stop();
  });

  async function costOf(request: KeyRequest): Promise<readonly string[]> {
    counted.taken();
    await counted.keySpace.execute(request).catch(() => {});
    return counted.taken();
  }

  describe("of a write without contention: one, and two with a TTL", () => {
    const cases: readonly [string, KeyRequest, readonly string[]][] = [
      ["a set below missing parents", { action: "set", key: "/x/y/a", value: "1" }, WRITE],
      ["a set beside it", { action: "set", key: "/x/y/b", value: "1" }, WRITE],
      ["a set of a file that is there", { action: "set", key: "/x/y/a", value: "2" }, ["kv/put"]],
      ["a set with a TTL", { action: "set", key: "/x/y/a", value: "2", ttl: 100 }, WITH_TTL],
      ["a refresh", { action: "set", key: "/x/y/a", refresh: true, ttl: 100 }, WITH_TTL],
      ["a set that ends a TTL", { action: "set", key: "/x/y/a", value: "3" }, WRITE],
      ["a create", { action: "create", key: "/x/y/c", value: "1" }, WRITE],
      ["a new directory", { action: "create", key: "/x/z", dir: true }, WRITE],
      ["an update", { action: "update", key: "/x/y/c", value: "2" }, WRITE],
      [
        "a compare-and-swap",
        { action: "compareAndSwap", key: "/x/y/c", value: "3", prevValue: "2" },
        WRITE,
      ],
      ["a first in-order key", { action: "create", key: "/x/q", value: "1", inOrder: true }, WRITE],
      [
        "the next in-order key",
        { action: "create", key: "/x/q", value: "1", inOrder: true },
        WRITE,
      ],
      [
        "a compare-and-delete",
        { action: "compareAndDelete", key: "/x/y/c", prevValue: "3" },
        WRITE,
      ],
      ["a delete", { action: "delete", key: "/x/y/b" }, WRITE],
      ["a recursive delete", { action: "delete", key: "/x/y", recursive: true }, WRITE],
    ];
    it.each(cases)("%s", async (_, request, cost) => {
      expect(await costOf(request)).toEqual(cost);
    });
  });

  it("of a refused write: one, if the target itself is the reason", async () => {
    await counted.keySpace.execute({ action: "set", key: "/r/f", value: "1" });
    expect(await costOf({ action: "create", key: "/r/f", value: "2" })).toEqual(WRITE);
    expect(await costOf({ action: "set", key: "/r", value: "2" })).toEqual(WRITE);
    const swap = { action: "compareAndSwap", key: "/r/f", value: "2", prevValue: "0" } as const;
    expect(await costOf(swap)).toEqual(WRITE);
  });

  it("of concurrent reads: one for 128 of them", async () => {
    counted.taken();
    const reads = Array.from({ length: 256 }, () =>
      counted.keySpace.execute({ action: "get", key: "/begin" }),
    );
    await Promise.all(reads);
    expect(counted.taken()).toEqual(["kv/txn", "kv/txn"]);
  });

  it("of a listing: one more than of a file", async () => {
    expect(await costOf({ action: "get", key: "/begin" })).toHaveLength(1);
    expect(await costOf({ action: "get", key: "/r" })).toHaveLength(2);
    expect(await costOf({ action: "get", key: "/" })).toHaveLength(1);
  });

  it("of local and linearizable reads: one batch for each kind", async () => {
    counted.taken();
    const reads = Array.from({ length: 20 }, (_, number) =>
      counted.keySpace.execute({ action: "get", key: "/begin", quorum: number % 2 === 0 }),
    );
    await Promise.all(reads);
    expect(counted.taken()).toHaveLength(2);
  });

  it("of one level of a deep tree: a page for each subdirectory that is longer than one", async () => {
    await inBatches(2500, (number) =>
      counted.keySpace.execute({ action: "set", key: `/deep/sub/${number}`, value: "" }),
    );
    await counted.keySpace.execute({ action: "set", key: "/deep/zz", value: "" });
    expect(await costOf({ action: "get", key: "/deep" })).toHaveLength(3);
  });
});
