import { afterAll, beforeAll, expect, it } from "vitest";
import type { V3Api } from "../../src/etcd3/v3-api.js";
import type { KeySpace } from "../../src/key-space/key-space.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { v3KeySpaceOf } from "../contract/v3.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { apiOf, V3Tool } from "./v3-tools.js";

/** Delays calls. */
class Gate {
  #reach = (): void => {};
  open = (): void => {};
  /** Resolves when a call waits. */
  readonly reached = new Promise<void>((resolve) => {
    this.#reach = resolve;
  });
  readonly #opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  async pass(): Promise<void> {
    this.#reach();
    await this.#opened;
  }
}

/** etcd's API. Calls for which `waits` returns true pass through the gate. */
function gatedApi(
  urls: readonly string[],
  gate: Gate,
  waits: (path: string, body: object) => boolean,
): V3Api {
  const api = apiOf(urls);
  return {
    call: async (rpc, request, call) => {
      if (waits(rpc.path, Object(request))) await gate.pass();
      return await api.call(rpc, request, call);
    },
    watch: (request, call) => api.watch(request, call),
    close: () => api.close(),
  };
}

const WRITERS = 4;
const TTLS = 30;

describeWithEtcd("3.6", "the leases of directories", () => {
  let etcd: EtcdCluster;
  let keySpaces: readonly KeySpace[];
  let tool: V3Tool;

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.6", v2: false });
    // Each stands for a process of its own.
    keySpaces = Array.from({ length: WRITERS }, () => v3KeySpaceOf(etcd.urls));
    tool = new V3Tool(etcd.urls);
  });

  afterAll(async () => {
    tool?.close();
    for (const keySpace of keySpaces ?? []) await keySpace.close();
    await etcd?.stop();
  });

  async function leases(): Promise<number> {
    const { leases: found = [] } = await tool.ask("lease/leases", {});
    return (found as readonly unknown[]).length;
  }

  async function setTtl(keySpace: KeySpace, key: string, ttl: number): Promise<void> {
    await keySpace.execute({ action: "update", key, dir: true, ttl });
  }

  it("end when the directory gets another TTL, or is removed", async () => {
    const [keySpace] = keySpaces as readonly [KeySpace];
    await keySpace.execute({ action: "set", key: "/d", dir: true, ttl: 1_000 });
    await keySpace.execute({ action: "set", key: "/d/sub", dir: true, ttl: 500 });
    await keySpace.execute({ action: "set", key: "/d/sub/file", value: "1" });
    for (let n = 0; n < 10; n++) await setTtl(keySpace, "/d", 1_000 + n);
    for (let n = 0; n < 10; n++) await setTtl(keySpace, "/d/sub", 500 + n);
    await expect.poll(leases).toBe(2);
    await keySpace.execute({ action: "delete", key: "/d/sub", recursive: true });
    await expect.poll(leases).toBe(1);
    await keySpace.execute({ action: "delete", key: "/d", recursive: true });
    await expect.poll(leases).toBe(0);
  });

  it("remove no node that a slow change of an earlier TTL moves", async () => {
    const [other] = keySpaces as readonly [KeySpace];
    const [moves, revokes] = [new Gate(), new Gate()];
    const isMove = (path: string, body: object): boolean =>
      path === "kv/txn" && JSON.stringify(body).includes('"ignore_value":true');
    const slow = new V3KeySpace(gatedApi(etcd.urls, moves, isMove));
    const fast = new V3KeySpace(gatedApi(etcd.urls, revokes, (path) => path === "lease/revoke"));
    await other.execute({ action: "set", key: "/slow", dir: true });
    await other.execute({ action: "set", key: "/slow/file", value: "1", ttl: 500 });
    // The file expires before its directory, so only the first change has to move it.
    const first = setTtl(slow, "/slow", 100);
    await moves.reached;
    await setTtl(fast, "/slow", 1_000);
    await revokes.reached;
    moves.open();
    await first;
    revokes.open();
    await fast.execute({ action: "get", key: "/", quorum: true });
    await expect.poll(leases).toBe(2);
    const { node } = await other.execute({ action: "get", key: "/slow/file", quorum: true });
    expect(node.ttl).toBeGreaterThan(100);
    await slow.close();
    await fast.close();
    await other.execute({ action: "delete", key: "/slow", recursive: true });
  });

  it("remove no node while other clients write below the directory and change its TTL", async () => {
    const [first] = keySpaces as readonly [KeySpace];
    await first.execute({ action: "set", key: "/busy/a/b", dir: true, ttl: 1_000 });
    await setTtl(first, "/busy", 5_000);
    let isDone = false;
    const writing = keySpaces.map(async (keySpace, writer) => {
      for (let written = 0; ; written++) {
        if (isDone) return written;
        const directory = ["a", "a/b", `a/c${writer}`][written % 3];
        const key = `/busy/${directory}/${writer}-${written}`;
        await keySpace.execute({ action: "set", key, value: "1" });
      }
    });
    const changing = keySpaces.map(async (keySpace, writer) => {
      for (let n = 0; n < TTLS; n++) {
        await setTtl(keySpace, n % 3 === 0 ? "/busy" : "/busy/a/b", 3_000 + 100 * n + writer);
      }
    });
    await Promise.all(changing).finally(() => {
      isDone = true;
    });
    const written = (await Promise.all(writing)).reduce((sum, each) => sum + each);
    const { node } = await first.execute({ action: "get", key: "/busy", recursive: true });
    expect(JSON.stringify(node).match(/"value"/g)).toHaveLength(written);
    // A directory that is changed concurrently may keep the lease of a change in between.
    expect(await leases()).toBeLessThan(WRITERS * TTLS);
  });
});
