import fc from "fast-check";
import { expect, test } from "vitest";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { matchesLiveWatch } from "../../src/key-space/shared/matches-watch.js";
import type { StoreEvent } from "../../src/key-space/shared/store-event.js";
import type {
  Changes,
  Resync,
  SubscribeRequest,
  Subscription,
} from "../../src/key-space/subscription.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { nextTurn } from "../../src/time/event-loop.js";
import { SEED } from "../support/seed.js";
import { SimulatedClock } from "../support/simulated-clock.js";

const RUNS = Number(process.env.ETCDNET_WATCH_RUNS ?? 100);
/** Number of events that the store keeps. */
const HISTORY_SIZE = 1_000;

type Step =
  | { readonly do: "write"; readonly key: string; readonly times: number; readonly ttl: boolean }
  | { readonly do: "remove"; readonly key: string }
  | { readonly do: "pass"; readonly milliseconds: number }
  | {
      readonly do: "open";
      readonly key: string;
      readonly from: number;
      readonly bufferSize: number;
    }
  | { readonly do: "read"; readonly reader: number; readonly times: number }
  | { readonly do: "wait" | "close" | "abort"; readonly reader: number };

const key = fc.constantFrom("/w/a", "/w/b/c", "/w/_h/x", "/x/a", "/x");
const reader = fc.nat({ max: 7 });
const of = <T extends Step["do"]>(...steps: readonly T[]) => fc.constantFrom(...steps);
const steps = fc.array(
  fc.oneof<fc.WeightedArbitrary<Step>[]>(
    {
      weight: 6,
      arbitrary: fc.record({
        ...{ do: of("write"), key, ttl: fc.boolean() },
        times: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }) },
          { weight: 1, arbitrary: fc.constantFrom(500, 1_100) },
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: of("remove"), key: fc.constantFrom("/w/b", "/w", "/x") }),
    },
    { weight: 2, arbitrary: fc.record({ do: of("pass"), milliseconds: fc.nat({ max: 2_500 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        ...{ do: of("open"), key: fc.constantFrom("/w", "/w/b/c", "/", "/x") },
        from: fc.oneof(fc.constantFrom(-1, 0), fc.nat({ max: 60 })),
        bufferSize: fc.constantFrom(1, 2, 5, 2_000),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ do: of("read"), reader, times: fc.integer({ min: 1, max: 8 }) }),
    },
    { weight: 2, arbitrary: fc.record({ do: of("wait", "close", "abort"), reader }) },
  ),
  { minLength: 10, maxLength: 60 },
);

interface Reader {
  readonly key: string;
  readonly subscription: Subscription;
  readonly abort: AbortController;
  /** Changes up to here were not asked for, or are contained in the state. */
  begin: number;
  readonly read: number[];
  isClosed: boolean;
  /** Whether it claims, as its caller did, an index that the store has not reached. */
  isBeyond: boolean;
}

class Story {
  readonly clock = new SimulatedClock();
  readonly keySpace = new MemoryKeySpace({ clock: this.clock });
  readonly readers: Reader[] = [];
  /** Every change, and when it was committed. */
  readonly committed: { readonly change: StoreEvent; readonly at: number }[] = [];
  readonly faults: string[] = [];

  constructor() {
    const all = this.keySpace.subscribe(request("/", 0, 1_000_000));
    void this.#record(all);
  }

  async play(step: Step): Promise<void> {
    const reader = "reader" in step ? this.readers[step.reader % this.readers.length] : undefined;
    switch (step.do) {
      case "write":
        for (let n = 0; n < step.times; n++) await this.#write(step.key, `${n}`, step.ttl);
        break;
      case "remove":
        await this.keySpace
          .execute({ action: "delete", key: step.key, recursive: true, dir: true })
          .catch(() => {});
        break;
      case "pass":
        await this.clock.pass(step.milliseconds);
        break;
      case "open":
        this.#open(step.key, step.from, step.bufferSize);
        break;
      default:
        if (reader !== undefined) this.#control(reader, step);
    }
    await nextTurn();
    this.verify();
  }

  verify(): void {
    expect(this.faults).toEqual([]);
    for (const reader of this.readers) {
      const { index, currentAt = Number.NEGATIVE_INFINITY } = reader.subscription;
      const expected = this.#changesFor(reader);
      expect(reader.read).toEqual(expected.slice(0, reader.read.length).map(({ index }) => index));
      const missing = expected.slice(reader.read.length);
      if (!reader.isBeyond)
        expect(missing.filter((change) => change.index <= index || change.at < currentAt)).toEqual(
          [],
        );
    }
  }

  async end(): Promise<void> {
    await this.clock.pass(5_000);
    for (const reader of this.readers) {
      for (let n = 0; n < 5_000 && !reader.isClosed; n++) {
        if (reader.subscription.index === this.keySpace.index) break;
        void this.#read(reader);
        // After a resync, the next repair waits.
        await this.clock.pass(20);
      }
      if (reader.isClosed) continue;
      expect(reader.read).toEqual(this.#changesFor(reader).map(({ index }) => index));
      expect(reader.subscription.index).toBe(this.keySpace.index);
    }
    this.verify();
    await this.keySpace.close();
  }

  #changesFor(reader: Reader): readonly { readonly index: number; readonly at: number }[] {
    const asked = { key: reader.key, recursive: reader.key !== "/w/b/c" };
    return this.committed
      .filter(({ change }) => change.node.modifiedIndex > reader.begin)
      .filter(({ change }) => matchesLiveWatch(asked, change))
      .map(({ change, at }) => ({ index: change.node.modifiedIndex, at }));
  }

  async #record(all: Subscription): Promise<void> {
    try {
      for await (const item of all) {
        const at = this.clock.monotonic();
        if (item.type === "changes") {
          this.committed.push(
            ...item.changes.map((change) => ({ change: this.#whole(change), at })),
          );
        }
      }
    } catch {
      // The key space was closed.
    }
  }

  /** The event with the paths that it has removed, which a change does not tell. */
  #whole(change: EtcdResponse): StoreEvent {
    if (change.prevNode?.dir !== true) return change;
    const { modifiedIndex } = change.node;
    const { history } = this.keySpace.snapshot();
    return history.findLast(({ node }) => node.modifiedIndex === modifiedIndex) ?? change;
  }

  async #write(key: string, value: string, ttl: boolean): Promise<void> {
    await this.keySpace
      .execute({ action: "set", key, value, ...(ttl && { ttl: 1 }) })
      .catch(() => {});
  }

  #open(key: string, from: number, bufferSize: number): void {
    const abort = new AbortController();
    const subscription = this.keySpace.subscribe(request(key, from, bufferSize), abort);
    const begin = from > 0 ? from - 1 : this.keySpace.index;
    this.readers.push({
      key,
      subscription,
      abort,
      begin,
      read: [],
      isClosed: false,
      isBeyond: begin > this.keySpace.index,
    });
  }

  #control(reader: Reader, step: Extract<Step, { readonly reader: number }>): void {
    switch (step.do) {
      case "read":
        for (let n = 0; n < step.times; n++) void this.#read(reader);
        break;
      case "wait":
        this.#wait(reader);
        break;
      case "close":
      case "abort":
        reader.isClosed = true;
        if (step.do === "close") reader.subscription.close();
        else reader.abort.abort();
    }
  }

  async #read(reader: Reader): Promise<void> {
    if (reader.isClosed) return;
    try {
      const { value } = await reader.subscription.next();
      if (value !== undefined) this.#take(reader, value);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "AbortError") this.faults.push(String(error));
    }
  }

  #take(reader: Reader, item: Changes | Resync): void {
    if (item.type === "changes") {
      reader.read.push(...item.changes.map(({ node }) => node.modifiedIndex));
      return;
    }
    const isNeeded = item.reason !== "slow-consumer" || this.keySpace.index > HISTORY_SIZE;
    if (!isNeeded) this.faults.push("a resync though history has the changes");
    reader.begin = item.index;
    reader.isBeyond = false;
    reader.read.length = 0;
  }

  #wait(reader: Reader): void {
    const { index } = this.keySpace;
    if (reader.isBeyond) return;
    reader.subscription.reached(index).then(
      () => {
        const missing = this.#changesFor(reader).slice(reader.read.length);
        if (missing.some((change) => change.index <= index))
          this.faults.push(`${index} is not reached`);
      },
      (error: Error) => {
        if (error.name !== "AbortError") this.faults.push(String(error));
      },
    );
  }
}

function request(key: string, from: number, bufferSize: number): SubscribeRequest {
  return {
    ...{ key, recursive: key !== "/w/b/c", state: "full", bufferSize, pollInterval: 1_000 },
    from: from === -1 ? "state" : from === 0 ? "now" : from,
  };
}

test("subscriptions of a store in memory claim and deliver nothing wrong", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const story = new Story();
      for (const step of script) await story.play(step);
      await story.end();
    }),
    { seed: SEED, numRuns: RUNS, endOnFailure: process.env.SHRINK === undefined },
  );
}, 600_000);
