import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { findEtcd } from "../../scripts/etcd-binaries.mjs";
import { textOf } from "../../src/data-dir/bytes.js";
import { type MemberData, readMemberData } from "../../src/data-dir/read-member-data.js";
import { exportMember } from "../../src/transfer/export/export-member.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { SEED } from "../support/seed.js";
import { readTree, type SeenNode, sendRandomly, writeKeys } from "./v2-load.js";

/** Keys to write, and how often etcd is killed while it writes them. */
const KEYS = Number(process.env.DATA_DIR_KEYS ?? 120);
const KILLS = process.env.DATA_DIR_KEYS === undefined ? 1 : 5;

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

/** Nodes that do not run out soon, by their own TTL or that of a directory above. */
function lasting(nodes: ReadonlyMap<string, SeenNode>): ReturnType<typeof byKey> {
  const soon = Date.now() + 60_000;
  const expiring = byKey(nodes).filter(([, { expiration = soon }]) => expiration < soon);
  return byKey(nodes).filter(
    ([key]) => !expiring.some(([above]) => key === above || key.startsWith(`${above}/`)),
  );
}

/** The value of each file in an export of the files, and `true` for each directory. */
async function exported(
  data: MemberData,
): Promise<ReadonlyMap<string, ReturnType<typeof content>>> {
  const { pieces } = exportMember(data, "/", { time: Date.now(), lossy: true });
  let text = "";
  for await (const piece of pieces) text += piece;
  const [, ...lines] = text.trimEnd().split("\n");
  const entries = lines.map((line): SeenNode & { readonly key: string } => JSON.parse(line));
  return new Map(entries.map((entry) => [entry.key, content(entry)]));
}

function content({ value, dir }: SeenNode): string | true | undefined {
  return dir === true ? dir : value;
}

async function indexOf(url: string): Promise<number> {
  const response = await fetch(`${url}/v2/keys/none`);
  return JSON.parse(await response.text()).index;
}

/** Every file with its content and times. */
function filesOf(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => {
    const path = join(directory, name);
    const { mtimeMs } = statSync(path);
    const content = statSync(path).isFile() ? readFileSync(path) : "";
    return `${name} ${mtimeMs} ${createHash("sha256").update(content).digest("hex")}`;
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

/** Sets the modes of directories and files. */
function chmodTree(directory: string, ofDirectories: number, ofFiles: number): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? ofDirectories : ofFiles);
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
  describeEtcdSideBySide(release, `the files of etcd ${release}`, () => {
    it("have the keys, indexes and deadlines that the cluster showed", async () => {
      await using etcd = await startEtcd({ release, args: ["--snapshot-count=60"] });
      const [url] = etcd.urls;
      await sendRandomly(url, 300, SEED);
      const live = await settledTree(url);
      const directory = await killed(etcd, `quiet-${release}`);
      const before = filesOf(directory);
      chmodTree(directory, 0o555, 0o444);

      const data = readMemberData(directory);
      expect(byKey(keysOf(data))).toEqual(byKey(live.nodes));
      expect(data.store.index).toBe(live.index);
      expect(data.warnings).toEqual([]);
      expect(data.snapshot).toMatchObject({ file: expect.stringContaining(directory) });
      expect(data.log.applied).toBe(data.log.last);
      chmodTree(directory, 0o755, 0o644);
      expect(filesOf(directory)).toEqual(before);
      expect(readMemberData(join(directory, "member")).store.nodes).toEqual(data.store.nodes);
    });

    it("have what etcd itself recovers after it was killed in the midst of writes", async (test) => {
      const snapshots = `--snapshot-count=${Math.round(KEYS / 8)}`;
      await using etcd = await startEtcd({ release, args: [snapshots] });
      const [member] = etcd.members;
      for (let kill = 1; kill <= KILLS; kill++) {
        const written = (KEYS * (kill - 1)) / KILLS;
        const writers = Promise.allSettled([
          ...[1, 2].map((n) => sendRandomly(member.url, KEYS, SEED + n * kill)),
          ...[0, 1].map((n) => writeKeys(member.url, written + n * KEYS, KEYS)),
        ]);
        await test.expect
          .poll(() => indexOf(member.url), { timeout: 600_000, interval: 200 })
          .toBeGreaterThan((KEYS * kill) / KILLS);
        const directory = await killed(etcd, `killed-${release}-${kill}`);
        await writers;
        const began = performance.now();
        const data = readMemberData(directory);
        const seconds = (performance.now() - began) / 1000;
        await member.start();
        const live = await readTree(member.url);
        const [found, expected] = [lasting(keysOf(data)), lasting(live.nodes)];
        expect(found).toEqual(expected);
        const contents = await exported(data);
        const wanted = expected.map(([key, node]) => [key, content(node)]);
        expect(expected.map(([key]) => [key, contents.get(key)])).toEqual(wanted);
        expect(data.store.index).toBeLessThanOrEqual(live.index);
        expect(data.store.index).toBeGreaterThan((KEYS * kill) / KILLS);
        if (process.env.DATA_DIR_KEYS === undefined) continue;
        const { log, snapshot, warnings } = data;
        console.log(
          `etcd ${release}, kill ${kill}: ${found.length} nodes equal; index ${data.store.index}, then ${live.index}; ` +
            `snapshot ${snapshot?.index}, commit ${log.commit}, last ${log.last}; ` +
            `${data.requests.keys} requests replayed in ${seconds.toFixed(1)} s; warnings: ${warnings.length}`,
        );
        rmSync(directory, { recursive: true });
      }
    }, 1_200_000);

    it("have the changes of the membership, and only committed entries by default", async () => {
      await using etcd = await startEtcd({
        release,
        members: 3,
        args: ["--strict-reconfig-check=false"],
      });
      const [url] = etcd.urls;
      const members = async (method: string, path: string, peerURLs?: readonly string[]) => {
        const headers = { "content-type": "application/json" };
        const body = peerURLs === undefined ? {} : { headers, body: JSON.stringify({ peerURLs }) };
        const response = await fetch(`${url}/v2/members${path}`, { method, ...body });
        const text = await response.text();
        expect([response.status < 300, text]).toEqual([true, text]);
        return text;
      };
      const isNew = ({ peerURLs: [url] }: { readonly peerURLs: readonly string[] }) =>
        url === "http://127.0.0.1:1";
      // On a busy machine etcd may respond before the change is committed.
      const { id } = await vi.waitUntil(
        async () => {
          await members("POST", "", ["http://127.0.0.1:1"]).catch(() => {});
          return JSON.parse(await members("GET", "")).members.find(isNew);
        },
        { timeout: 300_000 },
      );
      await members("PUT", `/${id}`, ["http://127.0.0.1:2"]);
      await writeKeys(url, 1, 5);
      await members("DELETE", `/${id}`);
      await writeKeys(url, 6, 5);
      const live = await readTree(url);
      const { members: shown } = JSON.parse(await members("GET", ""));
      await Promise.all(etcd.members.map((member) => member.kill()));

      const complete = etcd.members
        .map(({ dataDir }) => readMemberData(dataDir, { uncommitted: true }))
        .filter(({ store }) => store.index === live.index);
      // The third member may be behind.
      expect(complete.length).toBeGreaterThanOrEqual(2);
      for (const data of complete) {
        expect(byKey(keysOf(data))).toEqual(byKey(live.nodes));
        const found = data.membership.members.map(({ isLearner: _, ...member }) => member);
        const byId = (list: readonly { readonly id: string }[]) =>
          list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
        expect(byId(found)).toEqual(byId(shown));
        expect(data.membership.removed).toEqual([id]);
        expect(data.membership.voters).toHaveLength(3);
      }
      for (const { dataDir } of etcd.members) {
        const { log } = readMemberData(dataDir);
        expect(log.applied).toBe(log.commit);
      }
    });
  });
}

describeEtcdSideBySide("3.5", "the files of a member that etcd 3.5 has taken over from 3.4", () => {
  it("have the keys of both releases", async () => {
    const next = findEtcd("3.5");
    if ("missing" in next) throw new Error(next.missing);
    await using etcd = await startEtcd({ release: "3.4", args: ["--snapshot-count=60"] });
    const [member] = etcd.members;
    await sendRandomly(member.url, 150, SEED);
    await member.stop();
    await member.start({ binary: next.path });
    await sendRandomly(member.url, 150, SEED + 1);
    const live = await settledTree(member.url);
    const data = readMemberData(await killed(etcd, "taken-over"));
    expect(byKey(keysOf(data))).toEqual(byKey(live.nodes));
    expect(data.store.index).toBe(live.index);
  });
});
