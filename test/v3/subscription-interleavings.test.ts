import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesWatch } from "../../src/key-space/shared/matches-watch.js";
import type { Changes, Resync, Subscription } from "../../src/key-space/subscription.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { nextTurn } from "../../src/time/event-loop.js";
import { randomFrom } from "../support/random-from.js";
import { SEED } from "../support/seed.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { SimulatedV3 } from "../support/simulated-v3.js";
import {
  type Committed,
  type EtcdStep,
  faultSteps,
  healEtcd,
  keptRevision,
  passSteps,
  playOnEtcd,
  type ReplaceStep,
  replaceSteps,
} from "./etcd-steps.js";

const RUNS = Number(process.env.ETCDNET_WATCH_RUNS ?? 25);
const POLL_INTERVAL = 6_000;
type Step =
  | { readonly do: "change"; readonly keys: readonly string[]; readonly times: number }
  | EtcdStep
  | ReplaceStep
  | { readonly do: "stop" | "go" | "wait"; readonly reader: number }
  | {
      readonly do: "open";
      readonly key: string;
      readonly from: number;
      readonly bufferSize: number;
    }
  | { readonly do: "close"; readonly reader: number; readonly how: "close" | "abort" | "return" };

const keys = fc.constantFrom(
  ...[["/w/a"], ["/w/b"], ["/w/a", "/w/b", "/w/c"], ["/w/b", "/x"], ["/x"]],
  ...[["/elsewhere"], ["outside the tree"], ["/w/_hidden"]],
);
const times = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 9 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 300 }) },
);
const reader = fc.nat({ max: 5 });
const of = <T extends Step["do"]>(...steps: readonly T[]) => fc.constantFrom(...steps);
const steps = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    { weight: 8, arbitrary: fc.record({ do: of("change"), keys, times }) },
    { weight: 8, arbitrary: passSteps },
    { weight: 5, arbitrary: fc.record({ do: of("stop", "go", "go", "wait"), reader }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: of("open"),
        key: fc.constantFrom("/w", "/w/a", "/x", "/"),
        from: fc.oneof(fc.constantFrom(-1, 0), fc.integer({ min: 1, max: 400 })),
        bufferSize: fc.constantFrom(1, 2, 5, 1_000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: of("close"),
        reader,
        how: fc.constantFrom("close", "abort", "return"),
      }),
    },
    { weight: 3, arbitrary: faultSteps },
    {
      weight: 1,
      arbitrary: fc.record({ do: of("compact"), back: fc.constantFrom(0, 1, 5, 50) }),
    },
    { weight: 1, arbitrary: replaceSteps },
  ),
  { minLength: 20, maxLength: 70 },
);

/** A subscription, its consumer, which the story stops and lets go on, and what it has read. */
class Reader {
  readonly key: string;
  readonly subscription: Subscription;
  readonly abort = new AbortController();
  readonly from: number;
  /** Items of the current part, which began with the last resync. */
  read: { readonly key: string; readonly index: number }[] = [];
  resync: Resync | undefined;
  origin: { readonly etcdIndex: number; readonly raftTerm: number } | undefined;
  isStopped = false;
  isClosed = false;
  failure: unknown;
  readonly faults: string[] = [];
  #go: () => void = () => {};
  #lowest = 0;

  constructor(story: Story, key: string, from: number, bufferSize: number) {
    this.key = key;
    this.from = from;
    this.subscription = story.keySpace.subscribe(
      {
        ...{ key, recursive: key !== "/w/a", state: "full", bufferSize },
        ...{ from: from === -1 ? "state" : from === 0 ? "now" : from, pollInterval: POLL_INTERVAL },
      },
      this.abort,
    );
    this.subscription.opened.then(
      (origin) => {
        this.origin = origin;
      },
      () => {},
    );
    void this.#run().catch((error) => {
      this.failure = error;
    });
  }

  /** The store of what was read last: its number is the term, less 1. */
  get store(): number | undefined {
    const term = this.resync?.response?.raftTerm ?? this.origin?.raftTerm;
    return this.resync !== undefined && this.resync.response === null
      ? undefined
      : term && term - 1;
  }

  /** Changes up to here were not asked for, or are contained in the state. */
  get begin(): number | undefined {
    if (this.resync !== undefined) return this.resync.index;
    return this.from > 0 ? this.from - 1 : this.origin?.etcdIndex;
  }

  go(): void {
    this.isStopped = false;
    this.#go();
  }

  matches(change: Committed): boolean {
    const { key, index } = change;
    const node = { key, modifiedIndex: index, createdIndex: index };
    return matchesWatch({ key: this.key, recursive: this.key !== "/w/a" }, { action: "set", node });
  }

  checkIndex(): void {
    const { index } = this.subscription;
    if (index < this.#lowest) this.faults.push(`index fell from ${this.#lowest} to ${index}`);
    this.#lowest = index;
  }

  async #run(): Promise<void> {
    for await (const item of this.subscription) {
      this.#take(item);
      if (this.isStopped) await new Promise<void>((resolve) => (this.#go = resolve));
    }
  }

  #take(item: Changes | Resync): void {
    if (item.type === "resync") {
      if (item.reason === "cluster-changed") this.#lowest = 0;
      this.resync = item;
      this.read = [];
      return;
    }
    if (new Set(item.changes.map(({ node }) => node.modifiedIndex)).size !== 1) {
      this.faults.push("changes of several indexes in one item");
    }
    this.read.push(
      ...item.changes.map(({ node }) => ({ key: node.key, index: node.modifiedIndex })),
    );
  }
}

class Story {
  readonly clock = new SimulatedClock();
  readonly etcd: SimulatedV3;
  readonly keySpace: V3KeySpace;
  readonly readers: Reader[] = [];
  readonly stores: Committed[][] = [[]];
  /** Number of calls of `reached` that resolved. */
  waits = 0;
  /** Whether a store has passed the previous one before its first request. No client can notice that. */
  isUnnoticeable = false;
  /** Least revision of a previous store that may be all that is known, until every reader has noticed its end. */
  #lost = Number.POSITIVE_INFINITY;

  constructor(random: () => number) {
    const { clock } = this;
    this.etcd = new SimulatedV3(clock, random);
    this.commit("/w/a");
    this.keySpace = new V3KeySpace(this.etcd, { clock, pollInterval: 8_000, idleTimeout: 500 });
    this.readers.push(new Reader(this, "/w", 0, 3), new Reader(this, "/w/a", -1, 2));
  }

  commit(...keys: readonly string[]): void {
    const at = this.clock.monotonic();
    const index = this.etcd.commit(...keys.map((key) => ({ key, value: `${at}` })));
    const sorted = [...keys].sort();
    this.stores.at(-1)?.push(...sorted.map((key) => ({ key, index, at })));
  }

  async play(step: Step): Promise<void> {
    const { etcd } = this;
    switch (step.do) {
      case "change":
        for (let n = 0; n < step.times; n++) this.commit(...step.keys);
        break;
      case "replace":
        this.#replace(keptRevision(step, etcd));
        break;
      case "open":
        this.readers.push(new Reader(this, step.key, step.from, step.bufferSize));
        break;
      case "stop":
      case "go":
      case "wait":
      case "close":
        this.#control(step);
        break;
      default:
        await playOnEtcd(step, etcd, this.clock);
    }
    // A resolved `next` gets to its consumer.
    await nextTurn();
    this.verifyClaims();
  }

  async end(): Promise<void> {
    healEtcd(this.etcd);
    for (const reader of this.readers) reader.go();
    for (let n = 0; n < 4; n++) {
      await this.clock.pass(15_000);
      this.commit("/w/a", "/x");
    }
    await this.clock.pass(30_000);
    this.verifyClaims();
  }

  async close(): Promise<void> {
    await this.keySpace.close();
    await this.clock.pass(30_000);
  }

  #control(step: Extract<Step, { readonly reader: number }>): void {
    const reader = this.readers[step.reader % this.readers.length];
    if (reader === undefined) return;
    if (step.do === "stop") reader.isStopped = true;
    if (step.do === "go") reader.go();
    if (step.do === "wait") this.#wait(reader);
    if (step.do !== "close") return;
    reader.isClosed = true;
    if (step.how === "abort") reader.abort.abort();
    else if (step.how === "close") reader.subscription.close();
    else void reader.subscription.return?.();
  }

  /** What was committed before a caller waits is read when the call resolves. */
  #wait(reader: Reader): void {
    const store = this.stores.length - 1;
    const index = this.etcd.revision;
    const isNoticed = reader.store === store;
    const wanted = this.stores[store]?.filter((change) => reader.matches(change)) ?? [];
    reader.subscription.reached(index).then(
      () => {
        this.waits++;
        // An index of a store that was replaced unnoticed is one of another store.
        const isSame = isNoticed && reader.store === store && store === this.stores.length - 1;
        if (this.isUnnoticeable || !isSame) return;
        const missing = this.#missing(reader, wanted);
        if (missing.length > 0)
          reader.faults.push(`${index} is not reached: ${JSON.stringify(missing)}`);
      },
      () => {},
    );
  }

  #missing(reader: Reader, known: readonly Committed[]): readonly Committed[] {
    const { begin } = reader;
    if (begin === undefined) return [];
    const read = new Set(reader.read.map(({ key, index }) => `${index} ${key}`));
    return known.filter(({ key, index }) => index > begin && !read.has(`${index} ${key}`));
  }

  #replace(revision: number): void {
    const { etcd } = this;
    if (etcd.revision <= revision) return;
    // A client that does not know the last revisions of a store cannot see that they are gone.
    const known = this.readers.filter(({ isClosed }) => !isClosed);
    this.#lost = Math.min(this.#lost, ...known.map(({ subscription }) => subscription.index));
    etcd.replace(revision);
    const kept = this.stores.at(-1) ?? [];
    this.stores.push(kept.filter(({ index }) => index <= revision));
  }

  verifyClaims(): void {
    const present = this.stores.length - 1;
    const open = this.readers.filter(({ isClosed }) => !isClosed);
    if (open.every(({ store }) => store === present)) this.#lost = Number.POSITIVE_INFINITY;
    this.isUnnoticeable ||= this.etcd.revision >= this.#lost;
    for (const reader of this.readers) {
      reader.checkIndex();
      expect(reader.faults).toEqual([]);
      const { store = present, begin } = reader;
      if (this.isUnnoticeable || begin === undefined || reader.resync?.response === null) continue;
      const { index, currentAt = Number.NEGATIVE_INFINITY } = reader.subscription;
      const matching = (this.stores[store] ?? []).filter((change) => reader.matches(change));
      const missing = this.#missing(reader, matching);
      expect(missing.filter((change) => change.index <= index)).toEqual([]);
      if (store !== present) continue;
      expect(missing.filter(({ at }) => at < currentAt)).toEqual([]);
    }
  }

  /** Everything after the last resync was read, once and in order. */
  verifyEnd(): void {
    for (const reader of this.readers) {
      const { begin, store, resync } = reader;
      if (reader.isClosed) continue;
      expect(reader.failure).toBeUndefined();
      if (begin === undefined || store === undefined) {
        expect(resync?.response).toBeNull();
        continue;
      }
      const expected = (this.stores[store] ?? [])
        .filter((change) => change.index > begin && reader.matches(change))
        .map(({ key, index }) => ({ key, index }));
      expect(reader.read).toEqual(expected);
      expect(reader.subscription.index).toBe(this.etcd.revision);
      expect(this.clock.monotonic() - (reader.subscription.currentAt ?? 0)).toBeLessThan(
        POLL_INTERVAL,
      );
    }
  }
}

test("subscriptions of one key space with slow consumers claim and deliver nothing wrong", async () => {
  const counts = { stories: 0, readers: 0, waits: 0, excused: 0, calls: 0 };
  await fc.assert(
    fc.asyncProperty(steps, fc.integer(), async (script, seed) => {
      const story = new Story(randomFrom(seed));
      await story.clock.pass(200);
      for (const step of script) await story.play(step);
      await story.end();
      if (!story.isUnnoticeable) story.verifyEnd();
      await story.close();
      for (const { isClosed, failure } of story.readers) {
        if (!isClosed) expect(failure).toMatchObject({ name: "AbortError" });
      }
      expect(story.clock.pending).toBe(0);
      counts.stories++;
      counts.readers += story.readers.length;
      counts.waits += story.waits;
      counts.calls += story.etcd.calls.length;
      if (story.isUnnoticeable) counts.excused++;
    }),
    { seed: SEED, numRuns: RUNS, endOnFailure: process.env.SHRINK === undefined },
  );
  console.info(JSON.stringify(counts));
}, 3_600_000);
