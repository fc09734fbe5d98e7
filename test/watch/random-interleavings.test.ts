import fc from "fast-check";
import { expect, test } from "vitest";
import { EtcdClient, type Watcher, type WatchItem } from "../../src/index.js";
import { randomFrom } from "../support/random-from.js";
import { SEED } from "../support/seed.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import {
  type Committed,
  HISTORY,
  type Intermediary,
  type Server,
  SimulatedCluster,
} from "./simulated-cluster.js";

const systemRandom = Math.random;
const POLL_INTERVAL = 8_000;
const RUNS = Number(process.env.ETCDNET_WATCH_RUNS ?? 150);
const BUFFER_SIZE = 40;

/** What happens: to the store, to the network, to time. */
type Step =
  | { readonly do: "change"; readonly keys: readonly string[]; readonly times: number }
  | { readonly do: "pass"; readonly milliseconds: number }
  | { readonly do: "stall"; readonly milliseconds: number; readonly streams: boolean }
  | { readonly do: "harm"; readonly how: "dead" | "buffered"; readonly streams: boolean }
  | ({ readonly do: "proxy" } & Intermediary)
  | { readonly do: "isolate" | "lag"; readonly member: number }
  | Plain;

interface Plain {
  readonly do:
    | "cut"
    | "end"
    | "refuse"
    | "heal"
    | "rebuild"
    | "delete"
    | "stop"
    | "read"
    | "release";
}

const keys = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(["/w"], ["/w/a"], ["/w/b"]) },
  { weight: 3, arbitrary: fc.constant(["/elsewhere"]) },
  { weight: 1, arbitrary: fc.constantFrom(["/w/_hidden"], ["/w/a/_h/b"], ["/wide"], []) },
  { weight: 1, arbitrary: fc.constantFrom(["/w/a", "/w/b", "/w/c"], ["/w/_h", "/w/a"]) },
);
const plain = (...steps: readonly Plain["do"][]) =>
  fc.constantFrom(...steps.map((step): Plain => ({ do: step })));

const steps = fc.array(
  fc.oneof<[fc.WeightedArbitrary<Step>, ...fc.WeightedArbitrary<Step>[]]>(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("change" as const),
        keys,
        times: fc.oneof(
          { weight: 6, arbitrary: fc.integer({ min: 1, max: 5 }) },
          { weight: 1, arbitrary: fc.integer({ min: 30, max: HISTORY + 50 }) },
        ),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("pass" as const),
        milliseconds: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 1, max: 100 }) },
          { weight: 1, arbitrary: fc.integer({ min: 500, max: 12_000 }) },
        ),
      }),
    },
    { weight: 3, arbitrary: plain("cut", "cut", "end", "refuse", "heal", "heal", "delete") },
    { weight: 1, arbitrary: plain("stop", "read", "read") },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("harm" as const),
        how: fc.constantFrom("dead" as const, "buffered" as const),
        streams: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("proxy" as const),
        streams: fc.constantFrom("pass" as const, "dead" as const, "buffered" as const),
        scans: fc.constantFrom("clean" as const, "unclean" as const, "hang" as const),
      }),
    },
    { weight: 1, arbitrary: plain("release", "cut", "cut") },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("stall" as const),
        milliseconds: fc.integer({ min: 1, max: 900 }),
        streams: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom("isolate" as const, "lag" as const),
        member: fc.nat(2),
      }),
    },
    { weight: 1, arbitrary: plain("rebuild", "heal") },
  ),
  { minLength: 20, maxLength: 80 },
);

/** What a story is about: what answers, and how it is watched. */
interface Setting {
  readonly server: Server;
  readonly recursive: boolean;
  /** Whether the watch begins with the state, or else from an index. */
  readonly initial: boolean;
}

const settings: fc.Arbitrary<Setting> = fc.record({
  server: fc.constantFrom<Server>("etcd", "etcd", "gateway"),
  recursive: fc.boolean(),
  initial: fc.boolean(),
});

/** A consumer that reads when it may. */
class Consumer {
  readonly items: WatchItem[] = [];
  failure: unknown;
  #mayRead = true;
  #wake: () => void = () => {};

  constructor(watcher: Watcher) {
    void this.#consume(watcher).catch((error) => {
      this.failure = error;
    });
  }

  stop(): void {
    this.#mayRead = false;
  }

  read(): void {
    this.#mayRead = true;
    this.#wake();
  }

  async #consume(watcher: Watcher): Promise<void> {
    for await (const item of watcher) {
      this.items.push(item);
      if (this.#mayRead) continue;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

class Story {
  readonly clock = new SimulatedClock();
  readonly setting: Setting;
  readonly watched: { readonly key: string; readonly recursive: boolean };
  readonly cluster: SimulatedCluster;
  readonly etcd: EtcdClient;
  readonly watcher: Watcher;
  readonly consumer: Consumer;
  /** All events of each cluster that has been. */
  readonly committed = new Map<string, readonly Committed[]>();
  #rebuilt = false;

  constructor(random: () => number, setting: Setting) {
    const { server, recursive, initial } = setting;
    this.setting = setting;
    this.watched = { key: recursive ? "/w" : "/w/a", recursive };
    this.cluster = new SimulatedCluster(this.clock, random, server);
    for (let n = 0; n < 5; n++) this.cluster.commit("set", this.watched.key);
    this.etcd = new EtcdClient({ keySpace: this.cluster, clock: this.clock });
    const begin = initial ? { initial } : { from: 3 };
    this.watcher = this.etcd.watch(this.watched.key, {
      ...{ recursive, pollInterval: POLL_INTERVAL, bufferSize: BUFFER_SIZE },
      ...begin,
    });
    this.consumer = new Consumer(this.watcher);
  }

  async play(step: Step): Promise<void> {
    const { cluster, consumer } = this;
    switch (step.do) {
      case "change":
        for (let n = 0; n < step.times; n++) cluster.commit("set", ...this.#possible(step.keys));
        return;
      case "delete":
        return cluster.commit("delete", "/w");
      case "pass":
        await this.clock.pass(step.milliseconds);
        return this.verifyClaims();
      case "stall":
        for (const watch of cluster.watches) {
          if (watch.isStream === step.streams) watch.stall(step.milliseconds);
        }
        return;
      case "harm":
        for (const watch of cluster.watches) {
          if (watch.isStream === step.streams) watch.harm(step.how);
        }
        return;
      case "proxy":
        cluster.proxy.streams = step.streams;
        cluster.proxy.scans = step.scans;
        return;
      case "release":
        for (const watch of cluster.watches) watch.release();
        return;
      case "isolate":
        return cluster.isolate(step.member);
      case "lag":
        return cluster.lag(step.member);
      case "cut":
        for (const watch of cluster.watches) watch.cut();
        return;
      case "end":
        for (const watch of cluster.watches) watch.end();
        return;
      case "refuse":
        cluster.refuses = true;
        return;
      case "heal":
        return cluster.heal();
      case "stop":
        return consumer.stop();
      case "read":
        return consumer.read();
      case "rebuild":
        this.#remember();
        this.#rebuilt = true;
        return cluster.rebuild();
    }
  }

  /** All is well for a while, then one more change: what was told is told by now. */
  async end(): Promise<void> {
    this.cluster.heal();
    this.consumer.read();
    for (let n = 0; n < 3; n++) {
      await this.clock.pass(15_000);
      this.cluster.commit("set", "/w/a");
    }
    await this.clock.pass(5_000);
    expect(this.clock.monotonic() - (this.watcher.currentAt ?? 0)).toBeLessThan(POLL_INTERVAL);
    this.verifyClaims();
    this.#remember();
    await this.etcd.close();
    await this.clock.pass(1_000);
  }

  /** Everything up to `index`, and everything from before `currentAt`, was read by the consumer. */
  verifyClaims(): void {
    this.#remember();
    const { index, currentAt = 0 } = this.watcher;
    const { items } = this.consumer;
    const begin = items.findLastIndex(({ type }) => type === "resync");
    const resync = items[begin];
    const state = resync?.type === "resync" ? resync : { index: 2, etcdClusterId: "c1" };
    if (resync === undefined && this.setting.initial) {
      expect([index, currentAt]).toEqual([0, 0]);
      return;
    }
    const read = new Set(items.slice(begin + 1).map(identityOf));
    const unread = (this.committed.get(state.etcdClusterId) ?? []).filter(
      (change) => change.index > state.index && !read.has(identityOf(change)),
    );
    // Where an index has several events, the first one is taken for the last: a gateway refuses to go on
    // from the next index.
    const [mayHaveSiblings, begun] = [this.setting.server !== "etcd", new Set(items.map(indexOf))];
    const isSibling = (change: Committed): boolean => mayHaveSiblings && begun.has(change.index);
    const owed = unread.filter((change) => !isSibling(change));
    const isClaimed = (change: Committed): boolean =>
      change.index < index || (change.index === index && !mayHaveSiblings);
    const later = [...this.committed].flatMap(([id, all]) => (id > state.etcdClusterId ? all : []));
    expect(owed.filter(isClaimed)).toEqual([]);
    expect([...owed, ...later].filter((change) => change.committedAt < currentAt)).toEqual([]);
  }

  /** etcd has one event an index. */
  #possible(keys: readonly string[]): readonly string[] {
    return this.setting.server === "etcd" ? keys.slice(0, 1) : keys;
  }

  get mayHaveLost(): boolean {
    return this.#rebuilt || this.cluster.cleared > 0;
  }

  #remember(): void {
    this.committed.set(this.cluster.clusterId, this.cluster.eventsOf(this.watched));
  }
}

const indexOf = (item: WatchItem): number =>
  item.type === "resync" ? item.index : item.response.node.modifiedIndex;

function identityOf(change: Committed | WatchItem): string {
  if (!("type" in change)) return `${change.index} ${change.key}`;
  if (change.type === "resync") return "";
  const { key, modifiedIndex } = change.response.node;
  return `${modifiedIndex} ${key}`;
}

/** Every change once and in order, or a resync in their place. @returns whether there was a resync */
function verify({ committed, consumer, setting: { initial } }: Story): boolean {
  let resyncs = 0;
  let rest = [...(committed.get("c1") ?? [])].filter(({ index }) => index >= 3).map(identityOf);
  let last = 0;
  for (const item of consumer.items) {
    if (item.type === "change") {
      expect(identityOf(item)).toEqual(rest.shift());
      last = item.response.node.modifiedIndex;
      continue;
    }
    const isFirst = initial && item === consumer.items[0];
    expect(item.reason === "initial").toBe(isFirst);
    if (!isFirst) resyncs++;
    const all = committed.get(item.etcdClusterId) ?? [];
    if (item.reason !== "cluster-changed") expect(item.index).toBeGreaterThanOrEqual(last);
    rest = all.filter(({ index }) => index > item.index).map(identityOf);
    last = item.index;
  }
  expect(rest).toEqual([]);
  return resyncs > 0;
}

test("after any faults, every change is delivered once and in order, or a resync replaces it", async () => {
  const counts = { stories: 0, steps: 0, items: 0, resyncs: 0, cleared: 0 };
  await fc.assert(
    fc
      .asyncProperty(steps, fc.integer(), settings, async (script, seed, setting) => {
        const random = randomFrom(seed);
        // A spy would record every call.
        Math.random = random;
        const story = new Story(random, setting);
        // Until the first response, the client does not know which cluster an index belongs to.
        await story.clock.pass(100);
        for (const step of script) await story.play(step);
        await story.end();
        expect(story.consumer.failure).toMatchObject({ name: "AbortError" });
        const resynced = verify(story);
        if (resynced) expect(story.mayHaveLost).toBe(true);
        expect(story.clock.pending).toBe(0);
        counts.stories++;
        counts.steps += script.length;
        counts.items += story.consumer.items.length;
        counts.resyncs += Number(resynced);
        counts.cleared += story.cluster.cleared;
      })
      .afterEach(() => {
        Math.random = systemRandom;
      }),
    { seed: SEED, numRuns: RUNS, endOnFailure: true },
  );
  console.info(JSON.stringify(counts));
}, 3_600_000);
