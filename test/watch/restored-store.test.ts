import { expect, test } from "vitest";
import { EtcdClient, type WatchItem } from "../../src/index.js";
import type { CallOptions } from "../../src/key-space/call-options.js";
import type { KeySpace, KeyWatch } from "../../src/key-space/key-space.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import type { SubscribeRequest, Subscription } from "../../src/key-space/subscription.js";
import type { KeyRequest, WatchRequest } from "../../src/model/key-request.js";
import type { EtcdResponse } from "../../src/model/response.js";
import type { Clock } from "../../src/time/clock.js";
import { memoryWatchRequests } from "../support/memory-watch-requests.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { WatchSessionSubscriptions } from "../support/watch-session-subscription.js";

/** A key space whose store can be replaced. */
class Replaceable implements KeySpace {
  #inner: MemoryKeySpace;
  readonly #watches = new Set<KeyWatch>();
  readonly #subscriptions: WatchSessionSubscriptions;

  constructor(inner: MemoryKeySpace, clock: Clock) {
    const requests = memoryWatchRequests(
      () => this.#inner,
      (request, options) => this.openWatch(request, options),
    );
    this.#inner = inner;
    this.#subscriptions = new WatchSessionSubscriptions(this, requests, clock);
  }

  /** Replaces the store. Open watches are closed, or continue to watch the old store. */
  replace(inner: MemoryKeySpace, closesWatches: boolean): void {
    this.#inner = inner;
    if (closesWatches) for (const watch of this.#watches) watch.close();
  }

  execute(request: KeyRequest, options?: CallOptions): Promise<EtcdResponse> {
    return this.#inner.execute(request, options);
  }

  async openWatch(request: WatchRequest, options?: CallOptions): Promise<KeyWatch> {
    const watch = await this.#inner.openWatch(request, options);
    this.#watches.add(watch);
    return watch;
  }

  subscribe(request: SubscribeRequest, { signal }: CallOptions = {}): Subscription {
    return this.#subscriptions.open(request, signal);
  }

  close(): Promise<void> {
    this.#subscriptions.close();
    return this.#inner.close();
  }
}

test("a store that is restored from a backup causes one resync, although its cluster id is the same", async () => {
  const clock = new SimulatedClock();
  const store = new MemoryKeySpace({ clock });
  const keySpace = new Replaceable(store, clock);
  const etcd = new EtcdClient({ keySpace, clock });
  const items: WatchItem[] = [];
  const watcher = etcd.watch("/a", { initial: true });
  const reading = (async () => {
    for await (const item of watcher) items.push(item);
  })().catch(() => {});
  await etcd.setNode("/a", "old");
  const backup = store.snapshot();
  for (let n = 0; n < 10; n++) await etcd.setNode("/a", `lost ${n}`);
  await clock.pass(100);
  keySpace.replace(new MemoryKeySpace({ clock }, backup), true);
  await clock.pass(10_000);
  await etcd.setNode("/a", "new");
  await clock.pass(20_000);
  const resyncs = items.flatMap((item) => (item.type === "resync" ? [item] : []));
  expect(resyncs).toMatchObject([
    { reason: "initial" },
    { reason: "cluster-changed", index: backup.store.index, response: { node: { value: "old" } } },
  ]);
  expect(items.at(-1)).toMatchObject({ type: "change", response: { node: { value: "new" } } });
  expect(clock.monotonic() - Number(watcher.currentAt)).toBeLessThanOrEqual(5_000);
  await etcd.close();
  await reading;
});

test("another cluster that responds to the requests beside a watch causes one resync, whatever its index is", async () => {
  const clock = new SimulatedClock();
  const keySpace = new Replaceable(new MemoryKeySpace({ clock }), clock);
  const etcd = new EtcdClient({ keySpace, clock });
  const items: WatchItem[] = [];
  const watcher = etcd.watch("/a", { initial: true });
  const reading = (async () => {
    for await (const item of watcher) items.push(item);
  })().catch(() => {});
  await etcd.setNode("/a", "first");
  await clock.pass(10_000);
  const other = new MemoryKeySpace({ clock });
  await other.execute({ action: "set", key: "/a", value: "other" });
  keySpace.replace(other, false);
  await clock.pass(10_000);
  expect(items).toMatchObject([
    { reason: "initial", index: 4, response: { node: { value: "first" } } },
    { reason: "cluster-changed", index: 4, response: { node: { value: "other" } } },
  ]);
  await etcd.close();
  await reading;
});
