import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { makeChanges } from "./changes.js";

const CHANGES = 5_000;
/** Number of changes. etcd keeps 1000, of which some may still be in transit. */
const MAX_LAG = 900;

describeWithEtcd("3.4", "a burst", () => {
  test("of 5,000 changes is delivered to a fast consumer completely and without a resync", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using etcd = new EtcdClient({ urls: cluster.urls });
    const watcher = etcd.watch("/burst", { recursive: true, initial: true });
    await watcher.next();
    const startedAt = performance.now();
    const seen: number[] = [];
    // On an overloaded machine the consumer cannot keep up, so the writers wait for it.
    let waits = 0;
    let isOver = false;
    const waitForConsumer = async (made: number): Promise<void> => {
      for (; !isOver && made - seen.length > MAX_LAG; waits++) await setImmediate();
    };
    const reading = (async () => {
      for await (const item of watcher) {
        if (item.type === "resync") expect.fail(`a resync: ${item.reason} after ${seen.length}`);
        if (seen.push(item.response.node.modifiedIndex) === CHANGES) return;
      }
    })().finally(() => {
      isOver = true;
    });
    const [written] = await Promise.all([
      makeChanges(writer, "/burst", CHANGES, waitForConsumer),
      reading,
    ]);
    expect(seen).toEqual(written);
    const took = Math.round(performance.now() - startedAt);
    console.info(`${CHANGES} changes in ${took} ms, writers waited ${waits} turns`);
  });
});
