import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFailed, test, vi } from "vitest";
import { EtcdClient, type Watcher, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { makeChanges } from "./changes.js";

/** Number of changes. etcd keeps 1000, of which some may still be in transit. */
const MAX_LAG = 800;
const CHANGED = { node: { key: "/quiet", value: "changed" } };

describeWithEtcd("3.4", "a watcher of a quiet key, connected during 5,000 other changes", () => {
  test("receives its change after a disconnection: as an event after fewer than 1,000 other changes, as a resync after more", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using short = await ProxiedWatcher.from(cluster.urls[0]);
    await using long = await ProxiedWatcher.from(cluster.urls[0]);
    const startedAt = performance.now();
    // On an overloaded machine, the writers wait for the watchers.
    let waits = 0;
    let reached = "";
    const stage = (name: string): void => {
      reached = name;
    };
    onTestFailed(() =>
      console.error(`reached: ${reached}`, short.watcher.index, long.watcher.index),
    );
    const waitFor =
      (from: number, ...proxied: readonly ProxiedWatcher[]) =>
      async (made: number): Promise<void> => {
        const isBehind = () => proxied.some(({ watcher }) => from + made - watcher.index > MAX_LAG);
        for (; isBehind(); waits++) await delay(5);
        if (made % 500 === 0) stage(`${from + made} changes made`);
      };
    await makeChanges(writer, "/elsewhere", 5_000, waitFor(0, short, long));
    const { etcdIndex } = await writer.getNode("/");
    const took = Math.round(performance.now() - startedAt);
    const behind = [short, long].map(({ watcher }) => etcdIndex - watcher.index);
    console.info(
      `5,000 changes in ${took} ms, the watchers are ${behind.join(" and ")} behind, the writers waited ${waits} turns`,
    );
    for (const { watcher } of [short, long]) {
      await vi.waitFor(() => expect(watcher.index).toBeGreaterThanOrEqual(etcdIndex), 60_000);
    }

    for (const { proxy } of [short, long]) await proxy.become("refuse");
    await makeChanges(writer, "/elsewhere", 450);
    await writer.setNode("/quiet", "changed");
    await makeChanges(writer, "/elsewhere", 450);
    await short.proxy.become("pass");
    stage("the short cut ended");
    expect(await short.next()).toMatchObject({ type: "change", response: CHANGED });
    // The watcher has read only up to its own change. The lag is counted from the store's present index instead.
    const { etcdIndex: begin } = await writer.getNode("/");
    await makeChanges(writer, "/elsewhere", 2_100, waitFor(begin, short));
    await long.proxy.become("pass");
    stage("the long cut ended");
    const resync = { type: "resync", reason: "history-cleared", response: CHANGED };
    expect(await long.next()).toMatchObject(resync);

    stage("the last change");
    const { node } = await writer.setNode("/quiet", "last");
    const last = { type: "change", response: { node: { modifiedIndex: node.modifiedIndex } } };
    for (const watcher of [short, long]) expect(await watcher.next()).toMatchObject(last);
  });
});

/** A watcher behind a proxy that can disconnect it. */
class ProxiedWatcher implements AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly watcher: Watcher;
  readonly #etcd: EtcdClient;

  /** Resolves when the watcher has delivered its initial state. */
  static async from(url: string): Promise<ProxiedWatcher> {
    const proxied = new ProxiedWatcher(await FaultProxy.before(url));
    await proxied.next();
    return proxied;
  }

  private constructor(proxy: FaultProxy) {
    this.proxy = proxy;
    this.#etcd = new EtcdClient({ urls: [proxy.url] });
    this.watcher = this.#etcd.watch("/quiet", { initial: true });
  }

  async next(): Promise<WatchItem | undefined> {
    return (await this.watcher.next()).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#etcd.close();
    await this.proxy.close();
  }
}
