import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { makeChanges } from "./changes.js";

const CHANGES = 5_000;
/** Of the 1000 changes that etcd remembers, those under way left out. */
const MAY_BE_BEHIND = 900;

describeWithEtcd("3.4", "a burst", () => {
  test("of 5,000 changes reaches a prompt consumer whole and without a resync", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using etcd = new EtcdClient({ urls: cluster.urls });
    const told = etcd.watch("/burst", { recursive: true, initial: true });
    await told.next();
    const startedAt = performance.now();
    const seen: number[] = [];
    // A machine without breath is none on which a consumer is prompt: there the writers wait for it.
    let waits = 0;
    let isOver = false;
    const consumerIsPrompt = async (made: number): Promise<void> => {
      for (; !isOver && made - seen.length > MAY_BE_BEHIND; waits++) await setImmediate();
    };
    const reading = (async () => {
      for await (const item of told) {
        if (item.type === "resync") expect.fail(`a resync: ${item.reason} after ${seen.length}`);
        if (seen.push(item.response.node.modifiedIndex) === CHANGES) return;
      }
    })().finally(() => {
      isOver = true;
    });
    const [written] = await Promise.all([
      makeChanges(writer, "/burst", CHANGES, consumerIsPrompt),
      reading,
    ]);
    expect(seen).toEqual(written);
    const took = Math.round(performance.now() - startedAt);
    console.info(`${CHANGES} changes in ${took} ms, writers waited ${waits} turns`);
  });
});
