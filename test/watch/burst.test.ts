import { expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

const CHANGES = 5_000;
const WRITERS = 50;

describeWithEtcd("3.4", "a burst", () => {
  test("of 5,000 changes reaches a prompt consumer whole and without a resync", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using writer = new EtcdClient({ urls: cluster.urls });
    await using etcd = new EtcdClient({ urls: cluster.urls });
    const told = etcd.watch("/burst", { recursive: true, initial: true });
    await told.next();
    const startedAt = performance.now();
    const written: number[] = [];
    const writing = Promise.all(
      Array.from({ length: WRITERS }, async (_, name) => {
        for (let n = 0; n < CHANGES / WRITERS; n++) {
          const { node } = await writer.setNode(`/burst/${name}`, `${n}`);
          written.push(node.modifiedIndex);
        }
      }),
    ).then(() => console.info(`writers done after ${performance.now() - startedAt} ms`));
    const seen: number[] = [];
    for await (const item of told) {
      if (item.type === "resync") expect.fail(`a resync: ${item.reason} after ${seen.length}`);
      seen.push(item.response.node.modifiedIndex);
      if (seen.length === CHANGES) break;
    }
    await writing;
    console.info(`${CHANGES} changes in ${performance.now() - startedAt} ms`);
    expect(seen).toEqual(written.sort((a, b) => a - b));
  });
});
