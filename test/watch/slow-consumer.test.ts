import { expect, test } from "vitest";
import { EtcdClient, type WatchItem } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { makeChanges } from "./changes.js";

const BUFFER_SIZE = 500;

describeWithEtcd("3.4", "a consumer that stops reading", () => {
  test("receives every change if the buffer and the history can hold them", async () => {
    const { items, written } = await stopDuring(1_200);
    expect(items.map(indexOf)).toEqual(written);
  });

  test("receives a resync in place of lost changes, and every later change", async () => {
    const { items, written } = await stopDuring(20_000);
    const [resync, ...others] = items.filter(({ type }) => type === "resync");
    expect(resync).toMatchObject({ reason: "slow-consumer" });
    expect(others).toEqual([]);
    expect(items.length).toBeLessThan(5 * BUFFER_SIZE);
    const position = resync === undefined ? -1 : items.indexOf(resync);
    const before = items.slice(0, position).map(indexOf);
    const after = items.slice(position + 1).map(indexOf);
    expect(before).toEqual(written.slice(0, before.length));
    expect(after).toEqual(written.filter((index) => index > Number(resync && indexOf(resync))));
  });
});

async function stopDuring(
  changes: number,
): Promise<{ readonly items: readonly WatchItem[]; readonly written: readonly number[] }> {
  await using cluster = await startEtcd({ release: "3.4" });
  await using writer = new EtcdClient({ urls: cluster.urls });
  await using etcd = new EtcdClient({ urls: cluster.urls });
  const watcher = etcd.watch("/slow", { recursive: true, initial: true, bufferSize: BUFFER_SIZE });
  await watcher.next();
  const written = [...(await makeChanges(writer, "/slow", changes))];
  const { node } = await writer.setNode("/slow/end", "");
  written.push(node.modifiedIndex);
  const items: WatchItem[] = [];
  for await (const item of watcher) {
    items.push(item);
    if (indexOf(item) >= node.modifiedIndex) break;
  }
  return { items, written };
}

function indexOf(item: WatchItem): number {
  return item.type === "change" ? item.response.node.modifiedIndex : item.index;
}
