import { assert, describe, expect, it } from "vitest";
import { memoryWatchRequests } from "../../../test/support/memory-watch-requests.js";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { WatchSessionSubscriptions } from "../../../test/support/watch-session-subscription.js";
import { EtcdClient } from "../../client/etcd-client.js";
import { AbortError } from "../../errors/abort-error.js";
import {
  SourceReplacedError,
  TargetInUseError,
  TransferFailedError,
  TransferRefusedError,
} from "../../errors/migration-errors.js";
import type { CallOptions } from "../../key-space/call-options.js";
import type { KeySpace, KeyWatch } from "../../key-space/key-space.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import type { SubscribeRequest, Subscription } from "../../key-space/subscription.js";
import type { KeyRequest, WatchRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import { diffTrees } from "../compare/diff-trees.js";
import type { Difference } from "../compare/difference.js";
import type { Loss } from "../compare/loss.js";
import { migrate } from "./migrate.js";
import type { MigrateOptions } from "./migrate-options.js";
import type { MigrationProgress } from "./migration-progress.js";
import { RECORD_KEY } from "./migration-record.js";

class Pair {
  readonly clock = new SimulatedClock();
  readonly from = this.#client();
  readonly to = this.#client();

  async fill(tree: Readonly<Record<string, string | null>>, etcd = this.from): Promise<void> {
    for (const [key, value] of Object.entries(tree)) {
      if (value === null) await etcd.setNode(key, null, { dir: true });
      else await etcd.setNode(key, value);
    }
  }

  /** Advances the clock until the migration has ended. */
  async migrate(options: Partial<MigrateOptions> = {}): Promise<MigrationProgress> {
    return await this.passUntil(migrate({ from: this.from, to: this.to, ...options }));
  }

  async passUntil<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    promise.then(over, over);
    while (!isOver) await this.clock.pass(50);
    return await promise;
  }

  async differences(options = {}): Promise<string[]> {
    const told: string[] = [];
    for await (const difference of diffTrees({ from: this.from, to: this.to, ...options })) {
      told.push(`${difference.kind} ${keyIn(difference)}`);
    }
    return told;
  }

  #client(): EtcdClient {
    const { clock } = this;
    const keySpace = new MemoryKeySpace({ historySize: 100, clock });
    return new EtcdClient({ keySpace, clock });
  }
}

function keyIn(difference: Difference): string {
  if (difference.kind === "unnamed") return difference.key;
  return difference.kind === "extra" ? difference.found.key : difference.entry.key;
}

const TREE = { "/a": "1", "/d/x": "2", "/d/deep/er": "3", "/empty": null, "/d/_hidden/k": "4" };

/** A migration with `follow`, until the test ends it. */
function following(pair: Pair, options: Partial<MigrateOptions> = {}) {
  const until = new AbortController();
  let latest: MigrationProgress | undefined;
  const onProgress = (progress: MigrationProgress): void => {
    latest = progress;
  };
  const ended = migrate({
    from: pair.from,
    to: pair.to,
    until: until.signal,
    onProgress,
    ...options,
  });
  return {
    async copied(): Promise<void> {
      while (latest?.phase !== "following") await pair.clock.pass(50);
    },
    async end(): Promise<MigrationProgress> {
      until.abort();
      return await pair.passUntil(ended);
    },
    get latest() {
      return latest;
    },
  };
}

describe("migrate", () => {
  it("copies values, directories and the given hidden keys", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const hidden = ["/d/_hidden"];
    expect(await pair.migrate({ hidden })).toMatchObject({ phase: "following", share: 1 });
    expect(await pair.differences({ hidden })).toEqual([]);
    expect(await pair.to.getNodeValue("/d/_hidden/k")).toBe("4");
    expect((await pair.to.getNode("/empty")).node.dir).toBe(true);
  });

  it("copies a prefix to another one", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const places = { prefix: "/d", toPrefix: "/new/d", hidden: ["/d/_hidden"] };
    await pair.migrate(places);
    expect(await pair.to.getNodeValue("/new/d/deep/er")).toBe("3");
    expect(await pair.to.getNodeValue("/new/d/_hidden/k")).toBe("4");
    expect(await pair.differences(places)).toEqual([]);
    await expect(pair.to.getNode("/a")).rejects.toThrow("Key not found");
  });

  it("does not write equal nodes again, and removes deleted ones", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    await pair.migrate();
    await pair.from.deleteNode("/d/deep", { recursive: true });
    await pair.from.setNode("/a", "new");
    const { written } = await pair.migrate();
    expect(written).toBe(2);
    expect(await pair.differences()).toEqual([]);
    expect((await pair.migrate()).written).toBe(0);
  });

  it("refuses a target with other data, and replaces it with overwrite", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    await pair.fill({ "/other": "x", "/a/file/was": "here", "/d": "a file" }, pair.to);
    await expect(pair.migrate()).rejects.toThrow(TargetInUseError);
    expect(await pair.to.getNodeValue("/other")).toBe("x");
    await pair.migrate({ overwrite: true });
    expect(await pair.differences()).toEqual([]);
  });

  it("refuses the target of another migration", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    await pair.migrate();
    const other = new Pair();
    await expect(other.passUntil(migrate({ from: other.from, to: pair.to }))).rejects.toThrow(
      /the target already has data of a migration from cluster/,
    );
    await pair.to.deleteNode(RECORD_KEY);
    await expect(pair.migrate()).rejects.toThrow(TargetInUseError);
  });

  it("refuses a target inside or around the source, before it writes", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const etcd = pair.from;
    const index = etcd.lastIndex;
    const nested = etcd.namespace("/d");
    for (const [options, relation] of [
      [{}, "are the same tree"],
      [{ toPrefix: "/backup" }, "overlap in the same cluster"],
      [{ prefix: "/d", toPrefix: "/", overwrite: true }, "the source is inside the target"],
      [{ to: nested, toPrefix: "/deep" }, "the target is inside the source"],
      [{ from: nested, to: nested, prefix: "/deep", toPrefix: "/deep/" }, "are the same tree"],
    ] as const) {
      const refused = pair.migrate({ to: etcd, ...options });
      await expect(refused).rejects.toThrow(TransferRefusedError);
      await expect(refused).rejects.toThrow(relation);
      await expect(refused).rejects.toThrow(
        /the source \(.*\) and the target \(.*\).*Choose a prefix/,
      );
    }
    expect((await etcd.getNode("/")).etcdIndex).toBe(index);
  });

  it("copies to a place beside the source", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    await pair.migrate({ to: pair.from, prefix: "/d", toPrefix: "/data" });
    expect(await pair.from.getNodeValue("/data/deep/er")).toBe("3");
  });

  it("distinguishes two clusters with the same id by their revisions", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const copy = (keySpace: KeySpace) => {
      assert(keySpace instanceof MemoryKeySpace);
      return new MemoryKeySpace({ clock: pair.clock }, keySpace.snapshot());
    };
    const to = new EtcdClient({ keySpace: copy(pair.from.keySpace), clock: pair.clock });
    await expect(pair.migrate({ to, overwrite: true })).rejects.toThrow(TransferRefusedError);
    await to.setNode("/other", "1");
    await pair.migrate({ to, overwrite: true });
    await expect(to.getNode("/other")).rejects.toThrow("Key not found");
  });

  it("refuses a prefix that does not exist or is a file", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    await expect(pair.migrate({ prefix: "/none" })).rejects.toThrow(
      /^\/none does not exist in the source .*; name a directory as prefix$/,
    );
    await expect(pair.migrate({ prefix: "/a" })).rejects.toThrow(
      "/a is a file, or is below a file",
    );
    await expect(pair.differences({ prefix: "/a" })).rejects.toThrow("/a is a file");
    expect((await pair.to.getNode("/")).etcdIndex).toBe(3);
    await pair.fill({ "/file": "1" }, pair.to);
    for (const toPrefix of ["/file", "/file/below"]) {
      await expect(pair.migrate({ toPrefix, overwrite: true })).rejects.toThrow(
        `${toPrefix} is a file, or is below a file`,
      );
    }
    expect(await pair.to.getNodeValue("/file")).toBe("1");
  });

  it("refuses a target with other hidden data", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    await pair.fill({ "/_top/other": "x" }, pair.to);
    await expect(pair.migrate({ hidden: ["/_top"] })).rejects.toThrow(TargetInUseError);
    expect(await pair.to.getNodeValue("/_top/other")).toBe("x");
  });

  it("continues where it was interrupted", async () => {
    const pair = new Pair();
    for (let n = 0; n < 40; n++) await pair.fill({ [`/d${n}/k`]: "v" });
    const interrupt = new AbortController();
    const onProgress = ({ share }: MigrationProgress): void => {
      if (share > 0.6) interrupt.abort();
    };
    const { signal } = interrupt;
    await expect(pair.migrate({ signal, onProgress })).rejects.toThrow(AbortError);
    const missing = (await pair.differences()).length;
    expect(missing).toBeGreaterThan(0);
    expect(missing).toBeLessThan(40);
    expect((await pair.migrate()).written).toBe(missing);
    expect(await pair.differences()).toEqual([]);
  });

  it("fails if the target loses written nodes", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const forgetful = new Troubled(pair.to);
    forgetful.ignores = "/d/x";
    const to = new EtcdClient({ keySpace: forgetful, clock: pair.clock });
    const failed = pair.migrate({ to });
    await expect(failed).rejects.toThrow(TransferFailedError);
    await expect(failed).rejects.toThrow('does not keep the written values: "/d/x" differ');
  });

  it("compares the copy, and ends only if it is equal", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const phases = new Set<string>();
    const onProgress = async ({ phase }: MigrationProgress): Promise<void> => {
      if (phase === "verifying" && !phases.has(phase)) pair.fill({ "/other": "x" }, pair.to);
      phases.add(phase);
    };
    const { compared, total } = await pair.migrate({ onProgress });
    expect([...phases]).toEqual(["checking", "copying", "verifying", "following"]);
    expect([compared, total]).toEqual([6, 6]);
    expect(await pair.differences()).toEqual([]);
  });

  it("refuses values with U+FFFD and writes nothing, unless lossy is set", async () => {
    const pair = new Pair();
    await pair.fill({ "/a": "1", "/d/odd": "\ufffd", "/k\ufffd": "a key that is UTF-8" });
    await expect(pair.migrate()).rejects.toThrow('"/d/odd" has a value with U+FFFD');
    expect((await pair.to.getNode("/")).etcdIndex).toBe(3);
    const losses: string[] = [];
    const onLoss = ({ key, kind }: Loss) => void losses.push(`${kind} ${key}`);
    expect(await pair.migrate({ lossy: true, onLoss })).toMatchObject({ lost: 1 });
    expect(losses).toEqual(["replaced /d/odd"]);
    expect(await pair.to.getNodeValue("/k\ufffd")).toBe("a key that is UTF-8");
    expect(await pair.differences()).toEqual(["uncertain /d/odd"]);
    expect(await pair.differences({ lossy: true })).toEqual([]);
  });

  it("fails if the source gets a node during the copy that cannot be copied", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const migration = following(pair);
    await migration.copied();
    await pair.from.setNode("/d/odd", "\ufffd");
    await expect(migration.end()).rejects.toThrow('"/d/odd" has a value with U+FFFD');
  });

  it("stays below its rate", async () => {
    const pair = new Pair();
    for (let n = 0; n < 40; n++) await pair.fill({ [`/d${n}/k`]: "v" });
    const startedAt = pair.clock.now();
    await pair.migrate({ rate: 10 });
    expect(pair.clock.now() - startedAt).toBeGreaterThan(7_000);
  });

  it("is not affected by jumps of the wall clock", async () => {
    const pair = new Pair();
    await pair.from.setNode("/a", "1", { ttl: 100 });
    const { clock } = pair;
    const jumping = {
      now: () => clock.now() + (clock.monotonic() % 7) * 86_400_000,
      monotonic: () => clock.monotonic(),
      after: (milliseconds: number, callback: () => void) => clock.after(milliseconds, callback),
    };
    const from = new EtcdClient({ keySpace: pair.from.keySpace, clock: jumping });
    await pair.passUntil(migrate({ from, to: pair.to }));
    const { ttl = 0 } = (await pair.to.getNode("/a")).node;
    expect(ttl).toBeGreaterThan(95);
    expect(ttl).toBeLessThanOrEqual(101);
  });

  it("names an option that it cannot use", async () => {
    const { from, to } = new Pair();
    await expect(migrate({ from, to, prefix: "a" })).rejects.toThrow("prefix");
    await expect(migrate({ from, to, prefix: "/a", hidden: ["/b/_c"] })).rejects.toThrow(
      "hidden: /b/_c is not below /a",
    );
    await expect(migrate({ from, to, ...{ folow: true } })).rejects.toThrow("folow");
  });
});

describe("with follow, migrate", () => {
  it("copies every kind of change", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const migration = following(pair);
    await migration.copied();
    await pair.from.setNode("/a", "changed");
    await pair.from.deleteNode("/d", { recursive: true });
    await pair.from.setNode("/d", "a file now");
    await pair.from.deleteNode("/empty", { dir: true });
    await pair.from.setNode("/empty", "a file, too");
    await pair.from.setNode("/empty", null, { dir: true });
    await pair.from.createInOrderNode("/queue", "job");
    const { waiting } = await migration.end();
    expect(waiting).toBe(0);
    expect(await pair.differences()).toEqual([]);
  });

  it("renews TTLs that are refreshed in the source, and lets others expire", async () => {
    const pair = new Pair();
    await pair.from.setNode("/renewed", "v", { ttl: 10 });
    await pair.from.setNode("/d/left", "v", { ttl: 10 });
    await pair.from.createNode("/leased", null, { dir: true, ttl: 10 });
    await pair.from.setNode("/leased/in", "v");
    const migration = following(pair);
    await migration.copied();
    const heard: string[] = [];
    const watch = pair.to.watch("/", { recursive: true });
    void (async () => {
      for await (const item of watch) {
        if (item.type === "change") heard.push(`${item.response.action} ${item.response.node.key}`);
      }
    })();
    for (let second = 0; second < 60; second += 3) {
      await pair.from.refreshNode("/renewed", 10);
      await pair.from.updateNode("/leased", null, { dir: true, ttl: 10 });
      await pair.clock.pass(3_000);
      expect(await pair.to.getNodeValue("/renewed")).toBe("v");
      expect(await pair.to.getNodeValue("/leased/in")).toBe("v");
    }
    await expect(pair.to.getNode("/d/left")).rejects.toThrow("Key not found");
    expect(heard.filter((each) => each.endsWith("/renewed"))).toEqual([]);
    await pair.clock.pass(15_000);
    expect((await pair.to.getNode("/")).node.nodes?.map(({ key }) => key)).toEqual(["/d"]);
    watch.close();
    await migration.end();
    expect(await pair.differences()).toEqual([]);
  });

  it("copies the loss and the gain of a TTL", async () => {
    const pair = new Pair();
    await pair.from.setNode("/a", "v", { ttl: 10 });
    await pair.from.setNode("/b", "v");
    const migration = following(pair);
    await migration.copied();
    await pair.from.updateNode("/a", "v");
    await pair.from.refreshNode("/b", 100);
    await pair.from.updateNode("/b", "v", { ttl: 100 });
    await pair.clock.pass(1_000);
    expect((await pair.to.getNode("/a")).node.ttl).toBeUndefined();
    expect((await pair.to.getNode("/b")).node.ttl).toBeGreaterThan(90);
    await migration.end();
  });

  it("finds at its end a refresh that gave a key its first TTL, which causes no event", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const migration = following(pair);
    await migration.copied();
    await pair.from.refreshNode("/d/x", 100);
    await pair.clock.pass(5_000);
    expect(await pair.differences()).toEqual(["ttl /d/x"]);
    await migration.end();
    expect(await pair.differences()).toEqual([]);
  });

  it("compares everything again when the source has discarded events", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const cuttable = new Troubled(pair.from);
    const from = new EtcdClient({ keySpace: cuttable, clock: pair.clock });
    const migration = following(pair, { from });
    await migration.copied();
    cuttable.cut();
    await pair.from.deleteNode("/d", { recursive: true });
    for (let n = 0; n < 300; n++) await pair.from.setNode(`/many/${n % 7}`, `${n}`);
    await pair.clock.pass(20_000);
    expect(await pair.differences()).toEqual([]);
    await migration.end();
  });

  it("fails when another cluster responds in place of the source", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const cuttable = new Troubled(pair.from);
    const from = new EtcdClient({ keySpace: cuttable, clock: pair.clock });
    const ended = migrate({ from, to: pair.to, until: new AbortController().signal });
    const failure = expect(ended).rejects.toThrow(SourceReplacedError);
    await pair.clock.pass(5_000);
    cuttable.inner = memoryOf(new Pair().from.keySpace);
    cuttable.cut();
    await pair.passUntil(failure);
    expect(await pair.to.getNodeValue("/a")).toBe("1");
  });

  it("empties the target when the top of the source is deleted", async () => {
    const pair = new Pair();
    await pair.fill(TREE);
    const migration = following(pair, { prefix: "/d" });
    await migration.copied();
    await pair.from.deleteNode("/d", { recursive: true });
    await migration.end();
    expect((await pair.to.getNode("/d")).node.nodes).toBeUndefined();
  });
});

function memoryOf(keySpace: KeySpace): MemoryKeySpace {
  if (keySpace instanceof MemoryKeySpace) return keySpace;
  throw new Error("not a key space in this process");
}

/** A key space whose watches can break, and that can lose writes to a key. */
class Troubled implements KeySpace {
  readonly #watches = new Set<KeyWatch>();
  readonly #subscriptions: WatchSessionSubscriptions;
  inner: MemoryKeySpace;
  ignores: string | undefined;

  constructor({ clock, keySpace }: EtcdClient) {
    this.inner = memoryOf(keySpace);
    const requests = memoryWatchRequests(
      () => this.inner,
      (request, options) => this.openWatch(request, options),
    );
    this.#subscriptions = new WatchSessionSubscriptions(this, requests, clock);
  }

  execute(request: KeyRequest, options?: CallOptions): Promise<EtcdResponse> {
    const isIgnored = request.action === "set" && request.key === this.ignores;
    return this.inner.execute(isIgnored ? { ...request, key: "/_ignored" } : request, options);
  }

  async openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    const watch = await this.inner.openWatch(request, options);
    this.#watches.add(watch);
    return watch;
  }

  subscribe(request: SubscribeRequest, { signal }: CallOptions = {}): Subscription {
    return this.#subscriptions.open(request, signal);
  }

  cut(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
  }

  async close(): Promise<void> {
    this.#subscriptions.close();
  }
}
