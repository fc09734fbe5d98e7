import { expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { EventIndexClearedError } from "../../errors/event-errors.js";
import type { EtcdResponse } from "../../model/response.js";
import { nextTurn } from "../../time/event-loop.js";
import type { ResyncReason, SubscribeRequest } from "../subscription.js";
import { type Feed, type FeedSink, OtherStoreError, QueueFullError } from "./feed.js";
import { FeedSubscription } from "./feed-subscription.js";

const REQUEST: SubscribeRequest = {
  ...{ key: "/w", recursive: true, from: "now", state: "none", bufferSize: 4, pollInterval: 1_000 },
};
const ORIGIN = { etcdServer: "", etcdClusterId: "1", etcdIndex: 0, raftIndex: 0, raftTerm: 0 };

/** A feed whose items the test puts. */
class ManualFeed implements Feed {
  index = 0;
  currentAt: number | undefined = 0;
  /** Reasons with which it was started. */
  readonly starts: (ResyncReason | undefined)[] = [];
  /** Number of indexes that are to be proven. */
  wanted = 0;
  /** What a start ends with. */
  failure: (() => Error) | undefined;
  readonly sink: FeedSink;
  #fail: (error: Error) => void = () => {};

  constructor(sink: FeedSink) {
    this.sink = sink;
  }

  follow(reason: ResyncReason | undefined, signal: AbortSignal): Promise<void> {
    this.starts.push(reason);
    if (this.failure !== undefined) return Promise.reject(this.failure());
    return new Promise((_, reject) => {
      this.#fail = reject;
      signal.addEventListener("abort", () => reject(signal.reason));
      this.sink.onOpen(ORIGIN);
    });
  }

  requestProof(): () => void {
    this.wanted++;
    return () => {
      this.wanted--;
    };
  }

  put(index: number, keys: readonly string[] = ["/w/a"]): void {
    const changes = keys.map(
      (key): EtcdResponse => ({
        ...ORIGIN,
        action: "set",
        node: { key, value: "1", modifiedIndex: index, createdIndex: index },
      }),
    );
    this.sink.putChanges(changes, { index: index - 1, currentAt: this.currentAt });
    this.index = index;
  }

  resync(index: number): void {
    const [reason = "initial"] = this.starts.slice(-1);
    const resync = { type: "resync", reason, response: null, index } as const;
    const before = { index: this.index, currentAt: this.currentAt };
    this.sink.putResync({ ...resync, etcdClusterId: "1", etcdServer: "" }, before);
    this.index = index;
  }

  fail(error: Error): void {
    this.#fail(error);
  }
}

function arranged(request: Partial<SubscribeRequest> = {}) {
  const clock = new SimulatedClock();
  const feeds: ManualFeed[] = [];
  const abort = new AbortController();
  const closed = new AbortController();
  const settings = {
    clock,
    closed: closed.signal,
    feed: (sink: FeedSink) => {
      const feed = new ManualFeed(sink);
      feeds.push(feed);
      return feed;
    },
  };
  const subscription = new FeedSubscription({ ...REQUEST, ...request }, settings, abort.signal);
  const [feed] = feeds;
  if (feed === undefined) expect.fail("no feed");
  return { subscription, feed, clock, abort, closed };
}

const ABORT = { name: "AbortError" };

it("claims no dropped change after the end, whatever has ended it", async () => {
  const ends: readonly ((at: ReturnType<typeof arranged>) => unknown)[] = [
    ({ subscription }) => subscription.close(),
    ({ subscription }) => subscription.return(),
    ({ abort }) => abort.abort(),
    ({ closed }) => closed.abort(),
  ];
  for (const end of ends) {
    const at = arranged();
    at.feed.put(5);
    at.feed.currentAt = 1;
    at.feed.put(6);
    await at.subscription.next();
    end(at);
    at.feed.currentAt = 2;
    expect([at.subscription.index, at.subscription.currentAt]).toEqual([5, 1]);
    at.subscription.close();
    await nextTurn();
    expect([at.subscription.index, at.subscription.currentAt]).toEqual([5, 1]);
  }
});

it("settles callers that wait for an index when the subscription ends, and later ones", async () => {
  const ends: readonly ((at: ReturnType<typeof arranged>) => unknown)[] = [
    ({ subscription }) => subscription.close(),
    ({ abort }) => abort.abort(),
    ({ closed }) => closed.abort(),
    ({ feed }) => feed.fail(new RangeError("no repair")),
  ];
  for (const end of ends) {
    const at = arranged();
    const waiting = at.subscription.reached(9);
    const next = at.subscription.next().catch((error: Error) => error);
    end(at);
    await expect(waiting).rejects.toBeInstanceOf(Error);
    await next;
    await expect(at.subscription.reached(9)).rejects.toBeInstanceOf(Error);
    expect(at.feed.wanted).toBe(0);
  }
});

it("ends without an error when it is closed after a failure", async () => {
  const { subscription, feed } = arranged();
  feed.fail(new RangeError("no repair"));
  await expect(subscription.next()).rejects.toThrow("no repair");
  subscription.close();
  expect(await subscription.next()).toEqual({ done: true, value: undefined });
});

it("says that an index is reached after the consumer has got the item, not before", async () => {
  const { subscription, feed } = arranged();
  const read: number[] = [];
  const reading = (async () => {
    for await (const item of subscription) {
      if (item.type === "changes") read.push(...item.changes.map((at) => at.node.modifiedIndex));
    }
  })();
  await nextTurn();
  const waiting = subscription.reached(5);
  feed.put(5);
  feed.sink.onProgress();
  await Promise.race([waiting, subscription.reached(5)]);
  expect(read).toEqual([5]);
  await waiting;
  subscription.close();
  await reading;
});

it("has nothing proven for a caller that no longer waits", async () => {
  const { subscription, feed } = arranged();
  for (let n = 0; n < 10; n++) {
    const leaving = new AbortController();
    const waiting = subscription.reached(1_000, leaving);
    leaving.abort();
    await expect(waiting).rejects.toMatchObject(ABORT);
  }
  expect(feed.wanted).toBe(0);
  const waiting = subscription.reached(1);
  expect(feed.wanted).toBe(1);
  feed.index = 1;
  feed.sink.onProgress();
  await waiting;
  expect(feed.wanted).toBe(0);
  subscription.close();
});

it("delays the repairs of a store that is never the same one twice", async () => {
  for (const failure of [() => new OtherStoreError(), () => cleared()]) {
    const { subscription, feed, clock } = arranged();
    feed.failure = failure;
    feed.fail(failure());
    await clock.pass(60_000);
    expect(feed.starts.length).toBeLessThan(100);
    subscription.close();
    await expect(subscription.opened).resolves.toBeDefined();
  }
});

it("tells a change of cluster until its resync is read, whatever happens in between", async () => {
  const { subscription, feed, clock } = arranged();
  feed.put(50);
  feed.fail(new OtherStoreError());
  await nextTurn();
  feed.fail(cleared());
  await clock.pass(10_000);
  feed.resync(3);
  await subscription.next();
  expect((await subscription.next()).value).toMatchObject({
    type: "resync",
    reason: "cluster-changed",
  });
  expect(subscription.index).toBe(3);
  subscription.close();
});

it("delivers the wanted state first, even if the store is replaced at the same time", async () => {
  const { subscription, feed, clock } = arranged({ from: "state" });
  feed.fail(new OtherStoreError());
  await clock.pass(10_000);
  feed.resync(3);
  expect((await subscription.next()).value).toMatchObject({ type: "resync", reason: "initial" });
  subscription.close();
});

it("waits for the consumer while the queue is full, even if it can hold nothing", async () => {
  const { subscription, feed } = arranged({ bufferSize: 0 });
  feed.put(1);
  feed.fail(new QueueFullError());
  for (let n = 0; n < 5; n++) await nextTurn();
  expect(feed.starts).toHaveLength(1);
  await subscription.next();
  await nextTurn();
  expect(feed.starts).toHaveLength(2);
  expect(feed.sink.isFull).toBe(false);
  subscription.close();
});

function cleared(): Error {
  return new EventIndexClearedError({
    ...{ errorCode: 401, reason: "cleared", detail: "", index: 1, status: 400, key: "/w" },
    ...{ operation: "GET /w", endpoint: "", clusterId: "1" },
  });
}
