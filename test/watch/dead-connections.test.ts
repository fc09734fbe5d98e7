import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { EtcdClient, Lock, Mirror, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { Balancer, type WatchFault } from "./balancer.js";
import { makeChanges } from "./changes.js";

/** More changes than etcd keeps. */
const CHANGES = 1_300;
const POLL_INTERVAL = 1_000;
/** Milliseconds. A scan follows a change within some seconds; the rest is a margin for a busy machine. */
const DELIVERY_TIMEOUT = 25_000;

/** What happens to the connections of watches, and whether the balancer forwards a half-close. */
const CASES: readonly (readonly [name: string, fault: WatchFault, passesHalfClose: boolean])[] = [
  ["dead", "dead", true],
  ["buffered", "buffered", true],
  ["half-open", "half-open", true],
  ["dead, and the balancer closes both halves of a connection at once", "dead", false],
];

/** A client behind a balancer. Only its watch connections get the fault. */
class Reader implements AsyncDisposable {
  readonly name: string;
  readonly items: WatchItem[] = [];
  readonly mirror: Mirror;
  readonly #fault: WatchFault;
  readonly #balancer: Balancer;
  readonly #etcd: EtcdClient;
  readonly #direct: EtcdClient;

  constructor(name: string, fault: WatchFault, balancer: Balancer, direct: EtcdClient) {
    this.name = name;
    this.#fault = fault;
    this.#balancer = balancer;
    this.#direct = direct;
    this.#etcd = new EtcdClient({ urls: [balancer.url] });
    const options = { pollInterval: POLL_INTERVAL };
    this.mirror = new Mirror(this.#etcd, this.#key, options);
    void this.#read();
  }

  get #key(): string {
    return `/quiet/${this.name}`;
  }

  breakWatches(): void {
    expect(this.#balancer.breakWatches(this.#fault)).toBeGreaterThanOrEqual(2);
  }

  /** Changes the key, and waits until the watch and the mirror have received the change. */
  async change(): Promise<void> {
    const { node } = await this.#direct.setNode(`${this.#key}/a`, "new");
    const changedAt = performance.now();
    const isSeen = (item: WatchItem): boolean =>
      (item.type === "change" ? item.response.node.modifiedIndex : item.index) >=
      node.modifiedIndex;
    for (;;) {
      const staleFor = this.mirror.staleFor;
      const isMirrored = this.mirror.value(`${this.#key}/a`) === "new";
      if (!isMirrored) expect(staleFor).toBeGreaterThanOrEqual(performance.now() - changedAt - 5);
      if (isMirrored && this.items.some(isSeen)) return;
      if (performance.now() - changedAt > DELIVERY_TIMEOUT)
        expect.fail(`${this.name}: the change was lost`);
      await delay(20);
    }
  }

  /** Waits for a lock that another client releases after the fault. */
  async waitForLock(broken: Promise<void>): Promise<void> {
    const key = `/locks/${this.name}`;
    const held = await new Lock(this.#direct, key, { ttl: 120 }).acquire();
    const acquired = new Lock(this.#etcd, key, { ttl: 120 }).acquire({
      timeout: 2 * DELIVERY_TIMEOUT,
    });
    await broken;
    await held.release();
    const releasedAt = performance.now();
    const handle = await acquired;
    expect(performance.now() - releasedAt).toBeLessThan(DELIVERY_TIMEOUT);
    await handle.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror.close();
    await this.#etcd.close();
    await this.#balancer[Symbol.asyncDispose]();
  }

  async #read(): Promise<void> {
    const options = { recursive: true, initial: true, pollInterval: POLL_INTERVAL };
    try {
      for await (const item of this.#etcd.watch(this.#key, options)) this.items.push(item);
    } catch (error) {
      expect(error).toMatchObject({ name: "AbortError" });
    }
  }
}

describeWithEtcd("3.4", "only the connections of watches stop delivering data", () => {
  test("a change of a quiet key is delivered after 1,300 other changes, as an event or a resync", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using direct = new EtcdClient({ urls: cluster.urls });
    const readers = await Promise.all(
      CASES.map(async ([name, fault, passesHalfClose]) => {
        const balancer = await Balancer.before(cluster.urls[0], passesHalfClose);
        return new Reader(name, fault, balancer, direct);
      }),
    );
    try {
      await Promise.all(readers.map(({ mirror }) => mirror.ready));
      let markBroken: () => void = () => {};
      const broken = new Promise<void>((resolve) => {
        markBroken = resolve;
      });
      const locks = readers.map((reader) => reader.waitForLock(broken));
      await makeChanges(direct, "/elsewhere", CHANGES);
      for (const reader of readers) reader.breakWatches();
      markBroken();
      await Promise.all([...locks, ...readers.map((reader) => reader.change())]);
    } finally {
      await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
    }
  });
});
