import { expect, it } from "vitest";
import type { KeyWatch } from "../../src/key-space/key-space.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import type { EtcdResponse } from "../../src/model/response.js";
import { recordKey, SimulatedV3 } from "../support/simulated-v3.js";

const POLLS = { oneEventPerPoll: true };

/** Writes revisions with many keys each, as a migration does. */
function fill(etcd: SimulatedV3, revisions: number, keys: number): void {
  for (let n = 0; n < revisions; n++) {
    etcd.commit(
      ...Array.from({ length: keys }, (_, at) => ({ key: `/bulk/${n}-${at}`, value: "x" })),
    );
  }
}

async function first(watch: KeyWatch): Promise<EtcdResponse | undefined> {
  for await (const event of watch) return event;
  return undefined;
}

const starts = (etcd: SimulatedV3): readonly number[] =>
  etcd.opened.map(({ start_revision: start }) => Number(start));

it("a watch from now on does not make etcd read the past or split its messages", async () => {
  const etcd = new SimulatedV3();
  fill(etcd, 50, 20);
  const { revision } = etcd;
  const keySpace = new V3KeySpace(etcd, POLLS);
  const watch = await keySpace.openWatch({ key: "/a" });
  const next = await keySpace.openWatch({ key: "/a", waitIndex: revision + 1 });
  expect(starts(etcd)).toEqual([revision]);
  expect(etcd.opened[0]?.fragment).toBe(false);
  expect(etcd.calls).not.toContain("kv/put");
  etcd.commit({ key: "/a", value: "1" });
  expect((await first(watch))?.node.value).toBe("1");
  expect((await first(next))?.node.value).toBe("1");
  await keySpace.close();
});

it("the past is read from the requested index, and no earlier", async () => {
  const etcd = new SimulatedV3();
  fill(etcd, 300, 3);
  const wanted = etcd.commit({ key: "/a", value: "1" });
  fill(etcd, 5, 3);
  const keySpace = new V3KeySpace(etcd);
  expect(
    (await first(await keySpace.openWatch({ key: "/a", waitIndex: wanted })))?.node.value,
  ).toBe("1");
  expect(starts(etcd)).toEqual([etcd.revision - 1, wanted]);
  await keySpace.close();
});

it("a long history is read in pieces, from new to old", async () => {
  const etcd = new SimulatedV3();
  const wanted = etcd.commit({ key: "/a", value: "1" });
  fill(etcd, 1_000, 1);
  const { revision } = etcd;
  const keySpace = new V3KeySpace(etcd);
  expect(
    (await first(await keySpace.openWatch({ key: "/a", waitIndex: wanted })))?.node.value,
  ).toBe("1");
  expect(starts(etcd)).toEqual([revision, revision - 128, revision - 384, revision - 896, wanted]);
  await keySpace.close();
});

it("more events than the cache holds are refused with 401, and recent ones are delivered", async () => {
  const etcd = new SimulatedV3();
  const lost = etcd.commit({ key: "/a", value: "lost" });
  fill(etcd, 90, 128);
  const near = etcd.commit({ key: "/a", value: "near" });
  fill(etcd, 10, 128);
  const keySpace = new V3KeySpace(etcd);
  const cleared = { errorCode: 401 };
  await expect(keySpace.openWatch({ key: "/a", waitIndex: lost })).rejects.toMatchObject(cleared);
  const asked = etcd.opened.length;
  // The cache knows this now.
  await expect(keySpace.openWatch({ key: "/a", waitIndex: lost })).rejects.toMatchObject(cleared);
  expect(etcd.opened).toHaveLength(asked);
  expect((await first(await keySpace.openWatch({ key: "/a", waitIndex: near })))?.node.value).toBe(
    "near",
  );
  await keySpace.close();
});

it("history beyond the limit is refused without a request", async () => {
  const etcd = new SimulatedV3();
  fill(etcd, 10_010, 0);
  const keySpace = new V3KeySpace(etcd);
  await expect(keySpace.openWatch({ key: "/a", waitIndex: 5 })).rejects.toMatchObject({
    errorCode: 401,
  });
  expect(etcd.opened).toHaveLength(1);
  await keySpace.close();
});

it("nothing is read from before the index offset was written", async () => {
  const etcd = new SimulatedV3();
  fill(etcd, 20, 1);
  const revision = etcd.commit({ key: recordKey("offset"), value: "1000" });
  etcd.commit({ key: "/a", value: "1" });
  const keySpace = new V3KeySpace(etcd, POLLS);
  const before = { key: "/a", waitIndex: 1000 + revision - 1 };
  await expect(keySpace.openWatch(before)).rejects.toMatchObject({ errorCode: 401 });
  const watch = await keySpace.openWatch({ key: "/a", waitIndex: 1000 + revision });
  expect((await first(watch))?.node).toMatchObject({ value: "1", modifiedIndex: 1001 + revision });
  expect(Math.min(...starts(etcd))).toBe(revision);
  await keySpace.close();
});

it("compacted history is refused with 401, and later events are delivered", async () => {
  const etcd = new SimulatedV3();
  fill(etcd, 40, 1);
  const wanted = etcd.commit({ key: "/a", value: "1" });
  fill(etcd, 40, 1);
  etcd.compact(30);
  const keySpace = new V3KeySpace(etcd);
  await expect(keySpace.openWatch({ key: "/a", waitIndex: 5 })).rejects.toMatchObject({
    errorCode: 401,
  });
  expect(
    (await first(await keySpace.openWatch({ key: "/a", waitIndex: wanted })))?.node.value,
  ).toBe("1");
  await keySpace.close();
});

it("a poll after the first of several events of an index ends, although the others arrive later", async () => {
  const etcd = new SimulatedV3();
  const keySpace = new V3KeySpace(etcd, POLLS);
  (await keySpace.openWatch({ key: "/a" })).close();
  for (const stream of etcd.streams) stream.isFrozen = true;
  const index = etcd.commit({ key: "/d/1", value: "1" }, { key: "/d/2", value: "2" });
  const poll = { key: "/d", recursive: true, waitIndex: index + 1 };
  const watch = await keySpace.openWatch(poll);
  expect(watch.etcdIndex).toBeLessThan(index);
  for (const stream of etcd.streams) stream.thaw();
  expect(await first(watch)).toBeUndefined();
  await expect(keySpace.openWatch(poll)).rejects.toMatchObject({ errorCode: 401 });
  await keySpace.close();
});

it("all events of one index are delivered, even more than the buffer of a watch", async () => {
  const etcd = new SimulatedV3();
  const keySpace = new V3KeySpace(etcd);
  const watch = await keySpace.openWatch({ key: "/bulk", recursive: true, stream: true });
  fill(etcd, 3, 500);
  const keys = new Set<string>();
  for await (const { node } of watch) if (keys.add(node.key).size === 1_500) break;
  await keySpace.close();
});
