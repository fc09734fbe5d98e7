import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { EtcdClient, Lock, Mirror, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { Balancer, type Harm } from "./balancer.js";
import { makeChanges } from "./changes.js";

/** More than etcd remembers. */
const CHANGES = 1_300;
const POLL_INTERVAL = 1_000;
/** Milliseconds: a scan is due some seconds after the change; the rest is for a busy machine. */
const SOON = 25_000;

/** What happens to the connections of watches, and whether the balancer passes on a half-close. */
const CASES: readonly (readonly [name: string, harm: Harm, passesHalfClose: boolean])[] = [
  ["dead", "dead", true],
  ["buffered", "buffered", true],
  ["half-open", "half-open", true],
  ["dead, and the balancer closes both halves of a connection at once", "dead", false],
];

/** A client behind a balancer whose other connections always work. */
class Reader implements AsyncDisposable {
  readonly name: string;
  readonly items: WatchItem[] = [];
  readonly mirror: Mirror;
  readonly #harm: Harm;
  readonly #balancer: Balancer;
  readonly #etcd: EtcdClient;
  readonly #direct: EtcdClient;

  constructor(name: string, harm: Harm, balancer: Balancer, direct: EtcdClient) {
    this.name = name;
    this.#harm = harm;
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

  harm(): void {
    expect(this.#balancer.harmWatches(this.#harm)).toBeGreaterThanOrEqual(2);
  }

  /** Changes the key, and waits until the watch and the mirror know. */
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
      if (performance.now() - changedAt > SOON) expect.fail(`${this.name}: the change was lost`);
      await delay(20);
    }
  }

  /** Waits for a lock that another client holds, until after the harm. */
  async waitForLock(isHarmed: Promise<void>): Promise<void> {
    const key = `/locks/${this.name}`;
    const held = await new Lock(this.#direct, key, { ttl: 120 }).acquire();
    const acquired = new Lock(this.#etcd, key, { ttl: 120 }).acquire({ timeout: 2 * SOON });
    await isHarmed;
    await held.release();
    const releasedAt = performance.now();
    const handle = await acquired;
    expect(performance.now() - releasedAt).toBeLessThan(SOON);
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

describeWithEtcd("3.4", "the connections of watches stop bringing anything, and no others", () => {
  test("after 1,300 changes of the store: a change of a quiet key is told, by a resync if need be", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using direct = new EtcdClient({ urls: cluster.urls });
    const readers = await Promise.all(
      CASES.map(async ([name, harm, passesHalfClose]) => {
        const balancer = await Balancer.before(cluster.urls[0], passesHalfClose);
        return new Reader(name, harm, balancer, direct);
      }),
    );
    try {
      await Promise.all(readers.map(({ mirror }) => mirror.ready));
      let harmed: () => void = () => {};
      const isHarmed = new Promise<void>((resolve) => {
        harmed = resolve;
      });
      const locks = readers.map((reader) => reader.waitForLock(isHarmed));
      await makeChanges(direct, "/elsewhere", CHANGES);
      for (const reader of readers) reader.harm();
      harmed();
      await Promise.all([...locks, ...readers.map((reader) => reader.change())]);
    } finally {
      await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
    }
  });
});
