import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { type EmbeddedEtcdOptions, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { ManualClock } from "./manual-clock.js";

let directory = "";
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "etcdnet-snapshot-"));
});

afterAll(() => rm(directory, { recursive: true }));

const newFile = (): string => join(directory, `${++files}.snapshot`);

/** Starts on a file, does something and closes. */
async function run<T>(
  options: EmbeddedEtcdOptions,
  act: (client: EtcdClient) => Promise<T>,
  user?: { username: string; password: string },
): Promise<T> {
  await using etcd = await startEmbeddedEtcd(options);
  await using client = new EtcdClient({ urls: [etcd.url], ...user });
  return await act(client);
}

describe("what survives a restart", () => {
  it("files, directories and their indexes", async () => {
    const snapshotFile = newFile();
    const read = (client: EtcdClient) => client.getNode("/", { recursive: true });
    const before = await run({ snapshotFile }, async (client) => {
      await client.setNode("/file", "välue \u0000 \u2028");
      await client.setNode("/dir", null, { dir: true });
      await client.setNode("/dir/_hidden/deep", "");
      await client.createInOrderNode("/queue", "1");
      await client.updateNode("/file", "2");
      return [await read(client), await client.getNode("/dir/_hidden/deep")] as const;
    });
    const after = await run(
      { snapshotFile },
      async (client) => [await read(client), await client.getNode("/dir/_hidden/deep")] as const,
    );
    expect(after.map(({ node }) => node)).toEqual(before.map(({ node }) => node));
    expect(after.map(({ etcdIndex }) => etcdIndex)).toEqual(before.map((each) => each.etcdIndex));
  });

  it("the cluster's id, even when nothing was ever written", async () => {
    const snapshotFile = newFile();
    const clusterId = async (client: EtcdClient) => (await client.getNode("/")).etcdClusterId;
    const before = await run({ snapshotFile }, clusterId);
    expect(await run({ snapshotFile }, clusterId)).toBe(before);
  });

  it("TTLs as points in time, which pass while nothing runs", async () => {
    const [snapshotFile, clock] = [newFile(), new ManualClock()];
    const { etcdIndex } = await run({ snapshotFile, clock }, async (client) => {
      await client.setNode("/short", "", { ttl: 10 });
      return await client.setNode("/long", "", { ttl: 100 });
    });
    clock.pass(30_000);
    await run({ snapshotFile, clock }, async (client) => {
      expect((await client.getNode("/long")).node.ttl).toBe(70);
      const expiry = client.watchNode("/short", { waitIndex: etcdIndex + 1 });
      clock.pass(1_000);
      expect((await expiry).action).toBe("expire");
      await expect(client.getNode("/short")).rejects.toThrow("Key not found");
    });
  });

  it("the history, and where it begins", async () => {
    const [snapshotFile, historySize] = [newFile(), 10];
    const { etcdIndex } = await run({ snapshotFile, historySize }, async (client) => {
      for (let value = 1; value < 15; value++) await client.setNode("/a", `${value}`);
      return await client.setNode("/a", "15");
    });
    const floor = etcdIndex - historySize + 1;
    await run({ snapshotFile, historySize }, async (client) => {
      const late = await client.watchNode("/a", { waitIndex: floor });
      expect(late.node).toMatchObject({ value: "6", modifiedIndex: floor });
      await expect(client.watchNode("/a", { waitIndex: floor - 1 })).rejects.toMatchObject({
        errorCode: 401,
        detail: `the requested history has been cleared [${floor}/${floor - 1}]`,
      });
    });
  });

  it("users, roles and that auth is on", async () => {
    const snapshotFile = newFile();
    const root = { username: "root", password: "secret" };
    await run(
      { snapshotFile, rootPassword: "secret" },
      async ({ auth }) => {
        await auth.roles.create("reader", { read: ["/a"] });
        await auth.users.create("ann", { password: "pw", roles: ["reader"] });
      },
      root,
    );
    await run(
      { snapshotFile },
      async ({ auth }) => {
        expect(await auth.users.list()).toMatchObject([{ user: "ann" }, { user: "root" }]);
        expect(await auth.roles.list()).toMatchObject([{ role: "reader" }, { role: "root" }]);
      },
      root,
    );
    await run({ snapshotFile }, async (client) => {
      await expect(client.setNode("/a", "")).rejects.toMatchObject({ errorCode: 110 });
    });
  });
});

describe("the file", () => {
  it("is there from the start, for its owner only, and names no password", async () => {
    const snapshotFile = newFile();
    await using _etcd = await startEmbeddedEtcd({ snapshotFile, rootPassword: "open sesame" });
    expect((await stat(snapshotFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(snapshotFile, "utf8")).not.toContain("open sesame");
  });

  it("is written within a second of a change", async () => {
    const [snapshotFile, clock] = [newFile(), new ManualClock()];
    await using etcd = await startEmbeddedEtcd({ snapshotFile, clock });
    await etcd.keySpace.execute({ action: "set", key: "/a", value: "kept" });
    clock.pass(1_000);
    await expect.poll(() => readFile(snapshotFile, "utf8")).toContain('"kept"');
  });

  it("stays as it was when a new one was not finished", async () => {
    const snapshotFile = newFile();
    await run({ snapshotFile }, (client) => client.setNode("/a", "old"));
    const text = await readFile(snapshotFile, "utf8");
    const unfinished = `${snapshotFile}.0123456789abcdef.tmp`;
    await writeFile(unfinished, text.slice(0, 100));
    await utimes(unfinished, new Date(0), new Date(0));
    const value = await run({ snapshotFile }, (client) => client.getNodeValue("/a"));
    expect(value).toBe("old");
    await run({ snapshotFile }, (client) => client.setNode("/a", "new"));
    expect(await run({ snapshotFile }, (client) => client.getNodeValue("/a"))).toBe("new");
    expect((await readdir(directory)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it.each([
    ["cut off", (text: string) => text.slice(0, -1), "is damaged"],
    ["cut off in its first line", (text: string) => text.slice(0, 30), "is damaged"],
    ["changed in one place", (text: string) => text.replace('"v"', '"w"'), "is damaged"],
    ["of another version", (text: string) => text.replace("t 1 ", "t 2 "), "is not a snapshot of"],
    ["something else", () => '{"members":[]}', "is not a snapshot of this version"],
    ["empty", () => "", "is not a snapshot of this version"],
    ["not text", () => "\u0000\u0001", "is not a snapshot of this version"],
  ])("is refused, and kept, when it is %s", async (_how, spoil, problem) => {
    const snapshotFile = newFile();
    await run({ snapshotFile }, (client) => client.setNode("/a", "v"));
    const spoilt = spoil(await readFile(snapshotFile, "utf8"));
    await writeFile(snapshotFile, spoilt);
    const message = `snapshot file ${snapshotFile} ${problem}`;
    await expect(startEmbeddedEtcd({ snapshotFile })).rejects.toThrow(message);
    expect(await readFile(snapshotFile, "utf8")).toBe(spoilt);
  });

  it("must be a file", async () => {
    await expect(startEmbeddedEtcd({ snapshotFile: directory })).rejects.toThrow(
      `snapshot file ${directory} cannot be read: EISDIR`,
    );
  });

  it("that cannot be written ends the start, and nothing stays open", async () => {
    const [snapshotFile, clock] = [join(directory, "missing", "file"), new ManualClock()];
    await expect(startEmbeddedEtcd({ snapshotFile, clock })).rejects.toThrow(
      `snapshot file ${snapshotFile} cannot be written: ENOENT`,
    );
    expect(clock.pending).toBe(0);
  });

  it("that cannot be written any more is an error of close(), which closes all else", async () => {
    const inside = await mkdtemp(join(directory, "gone-"));
    const snapshotFile = join(inside, "file");
    const etcd = await startEmbeddedEtcd({ snapshotFile });
    await etcd.keySpace.execute({ action: "set", key: "/a", value: "1" });
    await rm(inside, { recursive: true });
    await expect(etcd.close()).rejects.toThrow(`snapshot file ${snapshotFile} cannot be written`);
    await expect(fetch(etcd.url)).rejects.toThrow("fetch failed");
  });
});
