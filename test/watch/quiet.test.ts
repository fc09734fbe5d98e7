import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFailed, test, vi } from "vitest";
import { EtcdClient, type Watcher, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { makeChanges } from "./changes.js";

/** Of the 1000 changes that etcd remembers, those under way left out. */
const MAY_BE_BEHIND = 800;
const CHANGED = { node: { key: "/quiet", value: "changed" } };

describeWithEtcd("3.4", "a quiet watcher, connected through 5,000 changes elsewhere", () => {
  test("is told of its one change after a cut: without a resync if fewer than 1,000 others were made meanwhile, by one if more", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using short = await CutOff.from(cluster.urls[0]);
    await using long = await CutOff.from(cluster.urls[0]);
    const startedAt = performance.now();
    // On a machine without breath, the writers wait for the watchers.
    let waits = 0;
    let reached = "";
    const stage = (name: string): void => {
      reached = name;
    };
    onTestFailed(() => console.error(`reached: ${reached}`, short.told.index, long.told.index));
    const awaiting =
      (from: number, ...watchers: readonly CutOff[]) =>
      async (made: number): Promise<void> => {
        const isBehind = () =>
          watchers.some(({ told }) => from + made - told.index > MAY_BE_BEHIND);
        for (; isBehind(); waits++) await delay(5);
        if (made % 500 === 0) stage(`${from + made} changes made`);
      };
    await makeChanges(writer, "/elsewhere", 5_000, awaiting(0, short, long));
    const { etcdIndex } = await writer.getNode("/");
    const took = Math.round(performance.now() - startedAt);
    const behind = [short, long].map(({ told }) => etcdIndex - told.index);
    console.info(
      `5,000 changes in ${took} ms, the watchers are ${behind.join(" and ")} behind, the writers waited ${waits} turns`,
    );
    for (const { told } of [short, long]) {
      await vi.waitFor(() => expect(told.index).toBeGreaterThanOrEqual(etcdIndex), 5_000);
    }

    for (const { proxy } of [short, long]) await proxy.become("refuse");
    await makeChanges(writer, "/elsewhere", 450);
    await writer.setNode("/quiet", "changed");
    await makeChanges(writer, "/elsewhere", 450);
    await short.proxy.become("pass");
    stage("the short cut ended");
    expect(await short.next()).toMatchObject({ type: "change", response: CHANGED });
    // The watcher has read up to its change, not up to the end: counted from there, it could fall too far behind.
    const { etcdIndex: begin } = await writer.getNode("/");
    await makeChanges(writer, "/elsewhere", 2_100, awaiting(begin, short));
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

/** A watcher behind a proxy that can cut it off. */
class CutOff implements AsyncDisposable {
  readonly proxy: FaultProxy;
  readonly told: Watcher;
  readonly #etcd: EtcdClient;

  /** When it has been told the state at the beginning. */
  static async from(url: string): Promise<CutOff> {
    const watcher = new CutOff(await FaultProxy.before(url));
    await watcher.next();
    return watcher;
  }

  private constructor(proxy: FaultProxy) {
    this.proxy = proxy;
    this.#etcd = new EtcdClient({ urls: [proxy.url] });
    this.told = this.#etcd.watch("/quiet", { initial: true });
  }

  async next(): Promise<WatchItem | undefined> {
    return (await this.told.next()).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#etcd.close();
    await this.proxy.close();
  }
}
