import { cpSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { textOf } from "../../src/data-dir/bytes.js";
import { type MemberData, readMemberData } from "../../src/data-dir/read-member-data.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { SEED } from "../support/seed.js";
import { readTree, type SeenNode, sendRandomly } from "./v2-load.js";

const scratch = mkdtempSync(join(tmpdir(), "etcdnet-data-dir-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The keys of a member, as etcd shows them. Two keys that are not UTF-8 may be one here, as in etcd's JSON. */
function keysOf({ store }: MemberData): ReadonlyMap<string, SeenNode> {
  const keys = store.nodes.filter(([path]) => path.startsWith("/1/"));
  return new Map(
    keys.map(([path, value, createdIndex, modifiedIndex, expiration]) => [
      textOf(path.slice(2)),
      {
        ...(value === null ? { dir: true } : { value: textOf(value) }),
        ...(expiration !== null && { expiration: Math.floor(expiration) }),
        createdIndex,
        modifiedIndex,
      },
    ]),
  );
}

function byKey(nodes: ReadonlyMap<string, SeenNode>): readonly (readonly [string, SeenNode])[] {
  const named = [...nodes].filter(([key]) => !key.includes("\ufffd"));
  return named.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Every file with its content and times. */
function filesOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => {
    const { mtimeMs, ctimeMs, size } = statSync(join(directory, name));
    return `${name} ${size} ${mtimeMs} ${ctimeMs}`;
  });
}

/** The tree when no more keys run out soon. */
async function settledTree(url: string) {
  for (;;) {
    const tree = await readTree(url);
    const soon = Date.now() + 60_000;
    if ([...tree.nodes.values()].every(({ expiration = soon }) => expiration >= soon)) return tree;
  }
}

async function killed(cluster: EtcdCluster, name: string): Promise<string> {
  const [member] = cluster.members;
  await member.kill();
  const copy = join(scratch, name);
  // etcd prepares the next file of the log, full of zeros.
  const filter = (path: string): boolean => !path.endsWith(".tmp");
  cpSync(member.dataDir, copy, { recursive: true, preserveTimestamps: true, filter });
  return copy;
}

for (const release of ["3.4", "3.5"] as const) {
  describeWithEtcd(release, `the files of etcd ${release}`, () => {
    it("have the keys, indexes and deadlines that the cluster showed", async () => {
      await using etcd = await startEtcd({ release, args: ["--snapshot-count=60"] });
      const [url] = etcd.urls;
      await sendRandomly(url, 300, SEED);
      const live = await settledTree(url);
      const directory = await killed(etcd, `quiet-${release}`);
      const before = filesOf(directory);

      const data = readMemberData(directory);
      expect(byKey(keysOf(data))).toEqual(byKey(live.nodes));
      expect(data.store.index).toBe(live.index);
      expect(data.warnings).toEqual([]);
      expect(data.snapshot).toMatchObject({ file: expect.stringContaining(directory) });
      expect(data.log.applied).toBe(data.log.last);
      expect(filesOf(directory)).toEqual(before);
      expect(readMemberData(join(directory, "member")).store.nodes).toEqual(data.store.nodes);
    });

    it("have what etcd itself recovers after it was killed in the midst of writes", async () => {
      await using etcd = await startEtcd({ release, args: ["--snapshot-count=100"] });
      const [url] = etcd.urls;
      const writers = Promise.allSettled(
        [1, 2, 3, 4].map((n) => sendRandomly(url, 10_000, SEED + n)),
      );
      const index = async () => (await readTree(url)).index;
      await expect.poll(index, { timeout: 60_000 }).toBeGreaterThan(150);
      const directory = await killed(etcd, `killed-${release}`);
      await writers;
      const data = readMemberData(directory);
      await etcd.members[0].start();
      const live = await readTree(url);
      const lasting = (nodes: ReadonlyMap<string, SeenNode>) =>
        byKey(nodes).filter(([, { expiration = Infinity }]) => expiration > Date.now() + 60_000);
      expect(lasting(keysOf(data))).toEqual(lasting(live.nodes));
      expect(data.store.index).toBeLessThanOrEqual(live.index);
    });
  });
}
