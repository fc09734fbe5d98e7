import { expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { makeChanges } from "./changes.js";

const CHANGES = 5_000;

describeWithEtcd("3.4", "a burst", () => {
  test("of 5,000 changes reaches a prompt consumer whole and without a resync", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using etcd = new EtcdClient({ urls: cluster.urls });
    const told = etcd.watch("/burst", { recursive: true, initial: true });
    await told.next();
    const startedAt = performance.now();
    const writing = makeChanges(writer, "/burst", CHANGES);
    const seen: number[] = [];
    for await (const item of told) {
      if (item.type === "resync") expect.fail(`a resync: ${item.reason} after ${seen.length}`);
      seen.push(item.response.node.modifiedIndex);
      if (seen.length === CHANGES) break;
    }
    expect(seen).toEqual(await writing);
    console.info(`${CHANGES} changes in ${Math.round(performance.now() - startedAt)} ms`);
  });
});
