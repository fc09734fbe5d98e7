import fc from "fast-check";
import { expect, test } from "vitest";
import { EventIndexClearedError } from "../../src/errors/event-errors.js";
import { EtcdClient, EtcdError, type Watcher, type WatchItem } from "../../src/index.js";
import { matchesWatch } from "../../src/key-space/shared/matches-watch.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { nextTurn } from "../../src/time/event-loop.js";
import { sleep } from "../../src/time/sleep.js";
import { randomFrom } from "../support/random-from.js";
import { SEED } from "../support/seed.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { SimulatedV3 } from "../support/simulated-v3.js";
import {
  type Committed,
  type EtcdStep,
  FIRST,
  faultSteps,
  healEtcd,
  keptRevision,
  passSteps,
  playOnEtcd,
  type ReplaceStep,
  replaceSteps,
} from "./etcd-steps.js";

const WATCHED = { key: "/w", recursive: true };
const RUNS = Number(process.env.ETCDNET_WATCH_RUNS ?? 25);
const SETTINGS = { pollInterval: 8_000 };

/** A step: a change of the store, of its members and connections, or of the time. */
type Step =
  | { readonly do: "change"; readonly keys: readonly string[]; readonly times: number }
  | EtcdStep
  | ReplaceStep;

const times = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 700 }) },
);
const keys = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(["/w/a"], ["/w/b"], ["/w/c/d"]) },
  { weight: 2, arbitrary: fc.constantFrom(["/elsewhere"], ["outside the tree"]) },
  { weight: 1, arbitrary: fc.constantFrom(["/w/_hidden"], ["/wide"]) },
  { weight: 1, arbitrary: fc.constantFrom(["/w/a", "/w/b", "/w/c"], ["/w/b", "/wide"]) },
);
const back = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 6, max: 500 }));
const of = <T extends Step["do"]>(step: T) => fc.constant(step);

const steps = fc.array(
  fc.oneof<[fc.WeightedArbitrary<Step>, ...fc.WeightedArbitrary<Step>[]]>(
    { weight: 8, arbitrary: fc.record({ do: of("change"), keys, times }) },
    { weight: 8, arbitrary: passSteps },
    { weight: 4, arbitrary: faultSteps },
    { weight: 1, arbitrary: fc.record({ do: of("compact"), back }) },
    { weight: 1, arbitrary: replaceSteps },
  ),
  { minLength: 20, maxLength: 60 },
);

/** What a client of a gateway may conclude from a poll that it half-closed shortly after the head. */
interface Conclusion {
  readonly store: number;
  readonly since: number;
  /** X-Etcd-Index. */
  readonly index: number;
  /** Index of the event. */
  readonly event: number | undefined;
}

class Story {
  readonly clock = new SimulatedClock();
  readonly items: WatchItem[] = [];
  /** Changes of each store, from the first on. */
  readonly stores: Committed[][] = [[]];
  readonly conclusions: Conclusion[] = [];
  readonly etcd: SimulatedV3;
  readonly #client: EtcdClient;
  readonly #watcher: Watcher;
  readonly #gateway: V3KeySpace;
  /** Last known revision of the previous store, until both key spaces have noticed its end. */
  #lostRevision = Number.POSITIVE_INFINITY;
  /** Whether a store was already ahead of the previous one at its first request. No client can notice that. */
  isUnnoticeable = false;
  failure: unknown;
  #isOver = false;

  constructor(random: () => number, initial: boolean) {
    const { clock } = this;
    this.etcd = new SimulatedV3(clock, random);
    this.commit("/w/a");
    this.#client = new EtcdClient({
      keySpace: new V3KeySpace(this.etcd, { clock, ...SETTINGS }),
      clock,
    });
    const begin = initial ? { initial } : {};
    this.#watcher = this.#client.watch(WATCHED.key, {
      ...{ recursive: true, pollInterval: SETTINGS.pollInterval },
      ...begin,
    });
    this.#gateway = new V3KeySpace(this.etcd, { clock, oneEventPerPoll: true, ...SETTINGS });
    void this.#read().catch((error) => {
      this.failure = error;
    });
    void this.#scan();
  }

  get store(): number {
    return this.stores.length - 1;
  }

  commit(...keys: readonly string[]): void {
    const value = `${this.clock.monotonic()}`;
    const index = this.etcd.commit(...keys.map((key) => ({ key, value })));
    const events = keys.filter((key) =>
      matchesWatch(WATCHED, {
        action: "set",
        node: { key, modifiedIndex: index, createdIndex: index },
      }),
    );
    const at = this.clock.monotonic();
    this.stores[this.store]?.push(...events.map((key) => ({ key, index, at })));
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
      default:
        await playOnEtcd(step, etcd, this.clock);
    }
    // The consumer gets an item that its call of `next` was waiting for.
    await nextTurn();
    this.#verifyClaims();
  }

  /** A time without faults, then one more change. Everything is delivered afterwards. */
  async end(): Promise<void> {
    healEtcd(this.etcd);
    for (let n = 0; n < 3; n++) {
      await this.clock.pass(15_000);
      this.commit("/w/a");
    }
    await this.clock.pass(5_000);
    this.#verifyClaims();
    this.#isOver = true;
    await this.#client.close();
    await this.#gateway.close();
    await this.clock.pass(20_000);
  }

  #replace(revision: number): void {
    const { etcd } = this;
    if (etcd.revision <= revision) return;
    const scanned = this.conclusions.at(-1)?.index ?? 0;
    this.#lostRevision = Math.min(this.#lostRevision, this.#watcher.index, scanned);
    etcd.replace(revision);
    const kept = this.stores[this.store] ?? [];
    this.stores.push(kept.filter(({ index }) => index <= revision));
  }

  async #read(): Promise<void> {
    for await (const item of this.#watcher) {
      this.items.push(item);
      if (item.type !== "resync" || storeOf(item) === this.store) continue;
      // The store was replaced while it responded: the client knows it only up to this index.
      this.#lostRevision = Math.min(this.#lostRevision, item.index);
    }
  }

  /** Whether both have used the current store. */
  get #isNoticed(): boolean {
    const item = this.items.findLast(({ type }) => type === "resync");
    const isRead = (item === undefined ? 0 : storeOf(item)) === this.store;
    return isRead && this.conclusions.at(-1)?.store === this.store;
  }

  /** `index` and `currentAt` promise that everything up to then was read. */
  #verifyClaims(): void {
    if (this.#isNoticed) this.#lostRevision = Number.POSITIVE_INFINITY;
    this.isUnnoticeable ||= this.etcd.revision >= this.#lostRevision;
    if (this.isUnnoticeable) return;
    const { index, currentAt = Number.NEGATIVE_INFINITY } = this.#watcher;
    const last = this.items.findLast(({ type }) => type === "resync");
    const contained = last?.type === "resync" ? last.index : 0;
    const store = last === undefined ? 0 : storeOf(last);
    const begun = last === undefined ? FIRST : 0;
    const read = new Set(
      this.items
        .slice(last === undefined ? 0 : this.items.indexOf(last))
        .map((item) => (item.type === "change" ? item.response.node.modifiedIndex : 0)),
    );
    const isMissing = (change: Committed): boolean =>
      change.index > Math.max(contained, begun) && !read.has(change.index);
    const known = this.stores[store] ?? [];
    expect(known.filter((change) => change.index <= index && isMissing(change))).toEqual([]);
    const present = this.stores[this.store] ?? [];
    const current = present.filter(({ at }) => at < currentAt);
    // Nothing was read yet from a store that has replaced the known one.
    const since = store === this.store ? 0 : (known.at(-1)?.index ?? 0);
    expect(current.filter((change) => change.index > since && isMissing(change))).toEqual([]);
  }

  /** A client of the gateway, which concludes from polls that it half-closes 20 ms after the head. */
  async #scan(): Promise<void> {
    for (let since = 1; !this.#isOver; ) {
      try {
        const poll = await this.#gateway.openWatch({ ...WATCHED, waitIndex: since });
        let event: number | undefined;
        const reading = (async () => {
          for await (const { node } of poll) event = node.modifiedIndex;
        })();
        await Promise.race([reading, sleep(20, this.clock, undefined)]);
        poll.close();
        await reading;
        const { etcdIndex: index, raftTerm } = poll;
        this.conclusions.push({ store: raftTerm - 1, since, index, event });
        since = Math.max(since, event === undefined ? index + 1 : event + 1);
      } catch (error) {
        if (!(error instanceof EtcdError)) return;
        if (error instanceof EventIndexClearedError) since = error.index + 1;
      }
      await sleep(200, this.clock, undefined);
    }
  }
}

function storeOf(item: WatchItem): number {
  return (item.response?.raftTerm ?? 1) - 1;
}

/** Every change once and in order, or a resync in their place. @returns how many resyncs there were */
function verify({ items, stores }: Story, initial: boolean): number {
  let resyncs = 0;
  let rest = (stores[0] ?? []).filter(({ index }) => index > FIRST);
  for (const item of items) {
    if (item.type === "change") {
      const { key, modifiedIndex: index } = item.response.node;
      expect({ key, index }).toEqual(rest[0] && { key: rest[0].key, index: rest[0].index });
      rest = rest.slice(1);
      continue;
    }
    const isFirst = initial && item === items[0];
    expect(item.reason === "initial").toBe(isFirst);
    if (!isFirst) resyncs++;
    rest = (stores[storeOf(item)] ?? []).filter(({ index }) => index > item.index);
  }
  expect(rest).toEqual([]);
  return resyncs;
}

function verifyConclusions({ conclusions, stores }: Story): void {
  const wrong = conclusions.filter(({ store, since, index, event }) => {
    const first = (stores[store] ?? []).find((change) => change.index >= since);
    if (first === undefined) return event !== undefined;
    return event === undefined ? first.index <= index : event !== first.index;
  });
  expect(wrong).toEqual([]);
}

test("after any faults of etcd, every change is delivered once and in order, or a resync replaces them", async () => {
  const counts = { stories: 0, items: 0, resyncs: 0, scans: 0, excused: 0 };
  await fc.assert(
    fc.asyncProperty(steps, fc.integer(), fc.boolean(), async (script, seed, initial) => {
      const story = new Story(randomFrom(seed), initial);
      // An index means nothing until its store is known.
      await story.clock.pass(200);
      for (const step of script) await story.play(step);
      await story.end();
      counts.stories++;
      counts.scans += story.conclusions.length;
      counts.items += story.items.length;
      if (story.isUnnoticeable) {
        counts.excused++;
        return;
      }
      expect(story.failure).toMatchObject({ name: "AbortError" });
      const resyncs = verify(story, initial);
      counts.resyncs += resyncs;
      verifyConclusions(story);
      const isWhole = !script.some((step) => step.do === "compact" || step.do === "replace");
      if (isWhole) expect(resyncs).toBe(0);
    }),
    { seed: SEED, numRuns: RUNS, endOnFailure: true },
  );
  console.info(JSON.stringify(counts));
}, 3_600_000);
