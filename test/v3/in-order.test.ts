import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import type { JsonObject } from "../../src/wire/json.js";
import { FencedResource } from "../recipes/fenced-resource.js";
import { RecipeProcess } from "../recipes/recipe-process.js";
import { toBase64 } from "../support/base64.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { etcdctl, grantLease, hasEtcdctl } from "./run-etcdctl.js";
import { countedKeySpace, V3Tool } from "./v3-tools.js";

/** Number of processes that create keys, and of clients in each. */
const CREATING = 10;
const CLIENTS = 5;
const KEYS_EACH = 3;
/** Number of processes that contend for the lock, and of contenders in each. */
const CONTENDING = 5;
const CONTENDERS = 4;
const HOLDS_EACH = 8;

for (const release of ["3.4", "3.7"] as const) {
  describeWithEtcd(release, `in-order keys on etcd ${release} whose data is lost`, () => {
    it("have names of the new store, also in a process that knows the lost one only", async () => {
      await using etcd = await startEtcd({ release });
      const [member] = etcd.members;
      const request = { action: "create", key: "/q", inOrder: true, value: "" } as const;
      const [former, later] = [countedKeySpace(etcd.urls), countedKeySpace(etcd.urls)];
      for (let n = 0; n < 20; n++) await former.keySpace.execute(request);
      await member.kill();
      await rm(member.dataDir, { recursive: true });
      await member.start();
      const created = [];
      for (const { keySpace } of [later, former, later])
        created.push(await keySpace.execute(request));
      const names = created.map(({ node }) => Number(node.key.slice("/q/".length)));
      expect(names).toEqual(names.toSorted((a, b) => a - b));
      for (const { node } of created) {
        expect(Number(node.key.slice("/q/".length))).toBeLessThanOrEqual(node.createdIndex);
      }
      const tool = new V3Tool(etcd.urls);
      await tool.put("other", "");
      const { header } = await tool.put("other", "");
      const { revision } = header as JsonObject;
      await tool.ask("kv/compaction", { revision });
      expect((await former.keySpace.execute(request)).action).toBe("create");
      tool.close();
      await Promise.all([former, later].map(({ keySpace }) => keySpace.close()));
    });
  });
}

describeWithEtcd("3.7", "in-order keys of many processes", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    buildIfStale();
    etcd = await startEtcd({ release: "3.7" });
  });
  afterAll(() => etcd?.stop());

  it.skipIf(!hasEtcdctl)(
    "are named in the order of their commits, while v3 tools write in the same directory",
    async () => {
      const args = [etcd.urls.join(), "/q", `${CLIENTS}`, `${KEYS_EACH}`];
      const creators = Array.from({ length: CREATING }, () => {
        return new RecipeProcess("../v3/in-order-creator.mjs", ...args);
      });
      try {
        await Promise.all(creators.map((one) => one.until(({ event }) => event === "ready")));
        await writingBeside(etcd, "/q", async () => {
          for (const creator of creators) creator.begin();
          await Promise.all(creators.map((creator) => creator.ended()));
        });
        const created = creators.flatMap(createdBy);
        expect(created).toHaveLength(CREATING * CLIENTS * KEYS_EACH);
        const committed = await inOrderOfCommit(etcd, "/q");
        expect(committed).toEqual([...created].sort((a, b) => a.revision - b.revision));
        const names = committed.map(({ key }) => key);
        expect(names).toEqual([...new Set(names)].sort());
        for (const { key, revision } of committed) {
          expect(Number(key.slice("/q/".length))).toBeLessThanOrEqual(revision);
        }
      } finally {
        await Promise.all(creators.map((creator) => creator[Symbol.asyncDispose]()));
      }
    },
  );

  it.skipIf(!hasEtcdctl)(
    "make a lock that never has two holders, while v3 tools write in the same directory",
    async () => {
      await using resource = await FencedResource.start();
      const args = [etcd.urls.join(), "v3", resource.url, "10", `${CONTENDERS}`];
      const processes = Array.from({ length: CONTENDING }, () => {
        return new RecipeProcess("contender.mjs", ...args);
      });
      try {
        await writingBeside(etcd, "/contended", async () => {
          await Promise.all(processes.map((process) => process.until(heldOften(process))));
          await Promise.all(processes.map((process) => process.end()));
        });
        const messages = processes.flatMap((process) => process.messages);
        expect(messages.filter(({ event }) => !["held", "done"].includes(event))).toEqual([]);
        const tokens = resource.uses.map(({ token }) => token);
        expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
        const held = messages.filter(({ event }) => event === "held").map(({ token }) => token);
        expect(held).toHaveLength(new Set(tokens).size);
      } finally {
        await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
      }
    },
  );
});

describeWithEtcd("3.7", "in-order keys of one process", () => {
  it("do not conflict: one request each", async () => {
    await using etcd = await startEtcd({ release: "3.7" });
    const { keySpace, taken } = countedKeySpace(etcd.urls);
    await keySpace.execute({ action: "set", key: "/own/begin", value: "" });
    taken();
    const create = { action: "create", key: "/own", value: "", inOrder: true } as const;
    const answers = await Promise.all(Array.from({ length: 30 }, () => keySpace.execute(create)));
    expect(taken()).toHaveLength(30);
    const names = answers.map(({ node }) => node.key);
    expect(names).toEqual([...names].sort());
    await keySpace.close();
  });
});

interface Created {
  readonly key: string;
  /** Of etcd, at which it was created. */
  readonly revision: number;
}

function createdBy({ messages }: RecipeProcess): readonly Created[] {
  return messages
    .filter(({ event }) => event === "created")
    .map(({ key, revision }) => ({ key: `${key}`, revision: Number(revision) }));
}

/** The existing in-order keys, by their revisions. None was written twice. */
async function inOrderOfCommit({ urls }: EtcdCluster, key: string): Promise<readonly Created[]> {
  const tool = new V3Tool(urls);
  const range = { key: toBase64(`${key}/0`), range_end: toBase64(`${key}/:`) };
  const { kvs } = await tool.ask("kv/range", range);
  tool.close();
  const created = (kvs as readonly JsonObject[]).map((kv) => {
    expect(kv.mod_revision).toBe(kv.create_revision);
    const name = Buffer.from(`${kv.key}`, "base64").toString();
    return { key: name, revision: Number(kv.create_revision) };
  });
  return created.sort((a, b) => a.revision - b.revision);
}

/** Runs a task while etcdctl puts and deletes keys in the same directory, with and without leases. */
async function writingBeside(
  { urls }: EtcdCluster,
  key: string,
  task: () => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const lease = await grantLease(urls, 600);
  const write = async (): Promise<void> => {
    while (!done.signal.aborted) {
      await etcdctl(urls, "put", `${key}/beside`, "x");
      await etcdctl(urls, "put", `${key}/leased`, "x", `--lease=${lease}`);
      await etcdctl(urls, "del", `${key}/beside`);
    }
    await etcdctl(urls, "lease", "revoke", lease);
  };
  const writing = write();
  try {
    await task();
  } finally {
    done.abort();
    await writing;
  }
}

/** Whether a process has held the lock for all its rounds. */
function heldOften({ messages }: RecipeProcess): () => boolean {
  return () => messages.filter(({ event }) => event === "held").length >= HOLDS_EACH;
}
