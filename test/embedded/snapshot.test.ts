import { createHash } from "node:crypto";
import {
  copyFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient } from "../../src/index.js";
import { type EmbeddedEtcdOptions, startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { Cli } from "../support/cli-process.js";
import { SimulatedClock } from "../support/simulated-clock.js";

let directory = "";
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "etcdnet-snapshot-"));
});

afterAll(() => rm(directory, { recursive: true }));

const newFile = (): string => join(directory, `${++files}.snapshot`);

/** Starts a server with these options, runs `act` with a client, and closes both. */
async function run<T>(
  options: EmbeddedEtcdOptions,
  act: (client: EtcdClient) => Promise<T>,
  user?: { username: string; password: string },
): Promise<T> {
  await using etcd = await startEmbeddedEtcd(options);
  await using client = new EtcdClient({ urls: [etcd.url], ...user });
  return await act(client);
}

/** A snapshot in the format of version 1. */
function version1(store: { readonly nodes: readonly unknown[] }): string {
  const part = { clusterId: "1", history: [], historyFloor: 1 };
  const keys = { ...part, store: { index: 4, ...store } };
  const auth = { ...part, store: { index: 3, nodes: [] } };
  const content = JSON.stringify({ keys, auth });
  const checksum = createHash("sha256").update(content).digest("hex");
  return `etcdnet snapshot 1 sha256 ${checksum}\n${content}`;
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

  it("the cluster id, even without any write", async () => {
    const snapshotFile = newFile();
    const clusterId = async (client: EtcdClient) => (await client.getNode("/")).etcdClusterId;
    const before = await run({ snapshotFile }, clusterId);
    expect(await run({ snapshotFile }, clusterId)).toBe(before);
  });

  it("TTLs as expiration times, which can pass while no server runs", async () => {
    const [snapshotFile, clock] = [newFile(), new SimulatedClock()];
    const { etcdIndex } = await run({ snapshotFile, clock }, async (client) => {
      await client.setNode("/short", "", { ttl: 10 });
      return await client.setNode("/long", "", { ttl: 100 });
    });
    clock.advance(30_000);
    await run({ snapshotFile, clock }, async (client) => {
      expect((await client.getNode("/long")).node.ttl).toBe(70);
      const expiry = client.watchNode("/short", { waitIndex: etcdIndex + 1 });
      clock.advance(1_000);
      expect((await expiry).action).toBe("expire");
      await expect(client.getNode("/short")).rejects.toThrow("Key not found");
    });
  });

  it("the history, and its first index", async () => {
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

  it("users, roles, and enabled auth", async () => {
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
  it("exists from the start, only its owner can read it, and it contains no password", async () => {
    const snapshotFile = newFile();
    await using _etcd = await startEmbeddedEtcd({ snapshotFile, rootPassword: "open sesame" });
    expect((await stat(snapshotFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(snapshotFile, "utf8")).not.toContain("open sesame");
  });

  it("is written within a second of a change", async () => {
    const [snapshotFile, clock] = [newFile(), new SimulatedClock()];
    await using etcd = await startEmbeddedEtcd({ snapshotFile, clock });
    await etcd.keySpace.execute({ action: "set", key: "/a", value: "kept" });
    clock.advance(1_000);
    await expect.poll(() => readFile(snapshotFile, "utf8")).toContain('"kept"');
  });

  it("stays unchanged when the write of a new one did not finish", async () => {
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
    ["cut off", (text: string) => text.slice(0, -5), "is damaged: line 8 cannot be read"],
    [
      "cut off between lines",
      (text: string) => text.split("\n").slice(0, 5).join("\n"),
      "is damaged: it ends after line 5",
    ],
    [
      "cut off in its first line",
      (text: string) => text.slice(0, 30),
      "is damaged: it ends in line 1",
    ],
    [
      "changed in one place",
      (text: string) => text.replace('"v"', '"w"'),
      "is damaged: it was altered",
    ],
    [
      "missing a line",
      (text: string) => text.replace(/\["\/a".*\n/, ""),
      "is damaged: it was altered",
    ],
    ["longer by a line", (text: string) => `${text}{}\n`, "is damaged: line 9 is after its end"],
    ["of another version", (text: string) => text.replace('n":2', 'n":3'), "is not a snapshot of"],
    ["other JSON", () => '{"members":[]}', "is not a snapshot of this version"],
    ["empty", () => "", "is not a snapshot of this version"],
    ["not text", () => "\u0000\u0001", "is not a snapshot of this version"],
  ])("is refused, and kept, when it is %s", async (_how, damage, problem) => {
    const snapshotFile = newFile();
    await run({ snapshotFile }, (client) => client.setNode("/a", "v"));
    const damaged = damage(await readFile(snapshotFile, "utf8"));
    await writeFile(snapshotFile, damaged);
    const starting = startEmbeddedEtcd({ snapshotFile });
    await expect(starting).rejects.toThrow(`snapshot file ${snapshotFile} ${problem}`);
    await expect(starting).rejects.toThrow("restore a good copy, or move it away");
    expect(await readFile(snapshotFile, "utf8")).toBe(damaged);
    await rm(snapshotFile);
    await (await startEmbeddedEtcd({ snapshotFile })).close();
  });

  it("is refused when a node has no parent directory", async () => {
    const snapshotFile = newFile();
    await writeFile(snapshotFile, version1({ nodes: [["/a/b/c", "1", 4, 4, null]] }));
    await expect(startEmbeddedEtcd({ snapshotFile })).rejects.toThrow(
      `snapshot file ${snapshotFile} cannot be restored: node /a/b/c has no parent directory; it was not changed`,
    );
  });

  it("can be one that an older version has written", async () => {
    const snapshotFile = newFile();
    await writeFile(snapshotFile, version1({ nodes: [["/a", "of old", 4, 4, null]] }));
    const read = (client: EtcdClient) => client.getNodeValue("/a");
    expect(await run({ snapshotFile }, read)).toBe("of old");
    await writeFile(snapshotFile, version1({ nodes: [] }).replace('"nodes"', '"none"'));
    await expect(startEmbeddedEtcd({ snapshotFile })).rejects.toThrow("is damaged");
  });

  it("must be a file", async () => {
    await expect(startEmbeddedEtcd({ snapshotFile: directory })).rejects.toThrow(
      `snapshot file ${directory} cannot be read: EISDIR`,
    );
  });

  it("that cannot be written makes the start fail, and nothing stays open", async () => {
    const [snapshotFile, clock] = [join(directory, "missing", "file"), new SimulatedClock()];
    await expect(startEmbeddedEtcd({ snapshotFile, clock })).rejects.toThrow(
      `snapshot file ${snapshotFile} cannot be written: ENOENT`,
    );
    expect(clock.pending).toBe(0);
  });

  it("that can no longer be written makes close() reject, but everything is closed", async () => {
    const inside = await mkdtemp(join(directory, "gone-"));
    const snapshotFile = join(inside, "file");
    const etcd = await startEmbeddedEtcd({ snapshotFile });
    await etcd.keySpace.execute({ action: "set", key: "/a", value: "1" });
    await rm(inside, { recursive: true });
    await expect(etcd.close()).rejects.toThrow(`snapshot file ${snapshotFile} cannot be written`);
    await expect(fetch(etcd.url)).rejects.toThrow("fetch failed");
  });
});

describe("a save", () => {
  it("is consistent although requests continue", async () => {
    const [snapshotFile, clock] = [newFile(), new SimulatedClock()];
    await using etcd = await startEmbeddedEtcd({ snapshotFile, clock });
    const { keySpace } = etcd;
    const write = (key: string, value: string) => keySpace.execute({ action: "set", key, value });
    for (let number = 0; number < 3000; number++) await write(`/${number}`, "x".repeat(100));
    const before = (await stat(snapshotFile)).ino;
    clock.advance(1_000);
    let round = 0;
    const isSaved = async (): Promise<boolean> => (await stat(snapshotFile)).ino !== before;
    for (; !(await isSaved()); round++) {
      await write(round % 2 === 0 ? "/even" : "/odd", String(round));
      await keySpace.execute({ action: "delete", key: `/${round % 3000}`, recursive: true });
      await write(`/${round % 3000}/${round}`, "");
    }
    expect(round).toBeGreaterThan(0);
    const copy = newFile();
    await copyFile(snapshotFile, copy);
    await using restored = await startEmbeddedEtcd({ snapshotFile: copy });
    const { index } = restored.keySpace;
    expect(restored.keySpace.snapshot().history.at(-1)?.node.modifiedIndex).toBe(index);
    const value = async (key: string): Promise<number> =>
      Number((await restored.keySpace.execute({ action: "get", key })).node.value);
    expect(Math.abs((await value("/even")) - (await value("/odd")))).toBe(1);
  });

  it("succeeds when the history exceeds the maximum length of a string", async () => {
    const snapshotFile = newFile();
    await run({ snapshotFile }, async () => {});
    await using etcd = await startEmbeddedEtcd({ snapshotFile });
    const value = "v".repeat(9.9 * 1024 * 1024);
    for (let count = 0; count < 60; count++) {
      await etcd.keySpace.execute({ action: "set", key: "/large", value });
    }
    await etcd.close();
    expect((await stat(snapshotFile)).size).toBeLessThan(64 * 1024 * 1024);
  });
});

describe("a file that cannot be written", () => {
  it("makes the server unhealthy, is counted, and is reported each minute until it can be written", async () => {
    const inside = await mkdtemp(join(directory, "away-"));
    const [snapshotFile, clock] = [join(inside, "file"), new SimulatedClock()];
    await using etcd = await startEmbeddedEtcd({ snapshotFile, clock });
    const warnings: string[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const health = async (): Promise<number> => (await fetch(`${etcd.url}/health`)).status;
    const failures = async (): Promise<number> => {
      const metrics = await (await fetch(`${etcd.url}/metrics`)).text();
      return Number(/^etcdnet_snapshot_failures_total (\d+)$/m.exec(metrics)?.[1]);
    };
    const passUntil = async (condition: () => Promise<void>): Promise<void> => {
      await vi.waitFor(async () => {
        clock.advance(1_000);
        await condition();
      }, 60_000);
    };
    expect([await health(), await failures()]).toEqual([200, 0]);
    await etcd.keySpace.execute({ action: "set", key: "/a", value: "1" });
    await rename(inside, `${inside}-moved`);
    await passUntil(async () => expect(await failures()).toBeGreaterThan(2));
    expect(await health()).toBe(503);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^snapshot file .* cannot be written: ENOENT.*\. Changes since 2030-.* are not saved$/,
      ),
    ]);
    clock.advance(60_000);
    await passUntil(async () => expect(warnings).toHaveLength(2));
    await rename(`${inside}-moved`, inside);
    await passUntil(async () => expect(await health()).toBe(200));
    expect(warnings.at(-1)).toBe(`snapshot file ${snapshotFile} is written again`);
    expect(await readFile(snapshotFile, "utf8")).toContain('"/a"');
  });
});

describe("two servers", () => {
  it("cannot share a file, and the second one does not change it", async () => {
    const snapshotFile = newFile();
    await using first = await startEmbeddedEtcd({ snapshotFile });
    const second = startEmbeddedEtcd({ snapshotFile });
    await expect(second).rejects.toThrow(
      `snapshot file ${snapshotFile} is in use: process ${process.pid} on `,
    );
    await first.keySpace.execute({ action: "set", key: "/a", value: "1" });
    await first.close();
    expect(await run({ snapshotFile }, (client) => client.getNodeValue("/a"))).toBe("1");
  });

  it("one whose file another one has locked rejects close(), and does not change the file", async () => {
    const snapshotFile = newFile();
    const etcd = await startEmbeddedEtcd({ snapshotFile });
    const text = await readFile(snapshotFile, "utf8");
    await rm(`${snapshotFile}.lock`);
    await symlink("another server", `${snapshotFile}.lock`);
    await etcd.keySpace.execute({ action: "set", key: "/a", value: "1" });
    await expect(etcd.close()).rejects.toThrow(
      `snapshot file ${snapshotFile}: "another server" has locked it`,
    );
    expect(await readFile(snapshotFile, "utf8")).toBe(text);
  });

  it("the next one takes over from a killed one at once, and removes its unfinished files", async () => {
    const snapshotFile = newFile();
    buildIfStale();
    await using killed = new Cli("serve", "--port", "0", "--data", snapshotFile);
    await killed.url();
    killed.kill("SIGKILL");
    await killed.exit;
    await writeFile(`${snapshotFile}.0123456789abcdef.tmp`, "half");
    await using _next = await startEmbeddedEtcd({ snapshotFile });
    const unfinished = (await readdir(directory)).filter((name) => name.endsWith(".tmp"));
    expect(unfinished).toEqual([]);
  });
});
