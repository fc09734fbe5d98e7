import { expect, it } from "vitest";
import { EtcdClient } from "../../client/etcd-client.js";
import { MemoryKeySpace } from "../../key-space/memory/memory-key-space.js";
import { readIndex } from "../../key-space/shared/read-state.js";
import { Migration } from "./migration.js";
import { preflight } from "./preflight.js";

/** Migrates, and changes the source before and after its end. */
async function handOver(
  before: (source: EtcdClient) => Promise<unknown>,
  after: (source: EtcdClient) => Promise<unknown>,
  hidden: readonly string[] = [],
): Promise<EtcdClient> {
  const from = new EtcdClient({ keySpace: new MemoryKeySpace() });
  const to = new EtcdClient({ keySpace: new MemoryKeySpace() });
  await from.setNode("/kept", "1");
  await from.setNode("/leased/kept", "1", { ttl: 100 });
  await from.setNode("/leased/refreshed", "1", { ttl: 100 });
  await from.setNode("/directory/file", "1");
  await from.setNode("/quiet/key", "1");
  const end = async (): Promise<number> => {
    await before(from);
    const { index } = await readIndex(from.keySpace, {});
    await after(from);
    return index;
  };
  const options = { from, to, hidden };
  await new Migration(await preflight(options), options, {
    end,
    givenTtls: () => ["/quiet/key", "/quiet/removed"],
    leased: () => {},
    extraTtl: 50,
  }).run();
  return to;
}

it("copies everything up to the end", async () => {
  const target = await handOver(
    async (source) => {
      await source.setNode("/kept", "2");
      await source.setNode("/new/file", "3", { ttl: 30 });
      await source.deleteNode("/directory", { recursive: true });
      await source.setNode("/empty", null, { dir: true, ttl: 40 });
      await source.refreshNode("/leased/refreshed", 1_000);
      await source.refreshNode("/quiet/key", 100);
      for (let at = 0; at < 2_000; at++) await source.setNode(`/many/${at % 100}`, `${at}`);
    },
    async () => {},
  );
  expect(await target.getNodeValue("/kept")).toBe("2");
  const ttlOf = async (key: string) => (await target.getNode(key)).node.ttl ?? 0;
  expect(await ttlOf("/new/file")).toBeGreaterThan(70);
  expect(await ttlOf("/leased/kept")).toBeGreaterThan(140);
  expect(await ttlOf("/leased/refreshed")).toBeGreaterThan(1000);
  expect(await ttlOf("/quiet/key")).toBeGreaterThan(140);
  await expect(target.getNode("/directory")).rejects.toThrow("Key not found");
  expect((await target.getNode("/empty")).node.dir).toBe(true);
  for (let at = 0; at < 100; at++)
    expect(await target.getNodeValue(`/many/${at}`)).toBe(`${1900 + at}`);
});

it("copies the removal of a directory that is created again", async () => {
  const target = await handOver(
    async (source) => {
      await source.deleteNode("/directory", { recursive: true });
      await source.setNode("/directory", null, { dir: true });
      await source.setNode("/leased/kept", "2");
      await source.deleteNode("/leased", { recursive: true });
      await source.setNode("/leased/new", "3");
      await source.updateNode("/leased", null, { dir: true, ttl: 100 });
    },
    async () => {},
  );
  expect((await target.getNode("/directory")).node.nodes ?? []).toEqual([]);
  const { node } = await target.getNode("/leased");
  expect(node.nodes?.map(({ key }) => key)).toEqual(["/leased/new"]);
});

it("copies the removal of a directory with hidden keys in its order", async () => {
  const target = await handOver(async (source) => {
    for (let at = 0; at < 50; at++) await source.setNode(`/directory/_hidden/${at}`, "1");
    await source.deleteNode("/directory", { recursive: true });
    await source.setNode("/directory/new", "2");
    await source.setNode("/directory/_hidden/new", "2");
  }, async () => {}, ["/directory/_hidden"]);
  const keysIn = async (key: string) =>
    (await target.getNode(key)).node.nodes?.map((node) => node.key);
  expect(await keysIn("/directory")).toEqual(["/directory/new"]);
  expect(await keysIn("/directory/_hidden")).toEqual(["/directory/_hidden/new"]);
});

it("copies nothing that happens after the end", async () => {
  const target = await handOver(
    async (source) => {
      await source.setNode("/short", "1", { ttl: 60 });
    },
    async (source) => {
      await source.setNode("/kept", "late");
      await source.setNode("/late", "1");
      await source.setNode("/leased/late", "1", { ttl: 100 });
      await source.setNode("/leased/kept", "late", { ttl: 5000 });
      await source.deleteNode("/leased/refreshed");
      await source.deleteNode("/short");
      await source.deleteNode("/directory", { recursive: true });
    },
  );
  expect(await target.getNodeValue("/kept")).toBe("1");
  expect(await target.getNodeValue("/short")).toBe("1");
  expect(await target.getNodeValue("/leased/refreshed")).toBe("1");
  expect(await target.getNodeValue("/directory/file")).toBe("1");
  expect((await target.getNode("/leased/kept")).node).toMatchObject({ value: "1" });
  expect((await target.getNode("/leased/kept")).node.ttl).toBeLessThan(200);
  for (const key of ["/late", "/leased/late"]) {
    await expect(target.getNode(key)).rejects.toThrow("Key not found");
  }
});
