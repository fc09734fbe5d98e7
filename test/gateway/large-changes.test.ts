import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, it } from "vitest";
import { EtcdClient, migrate } from "../../src/index.js";
import type { KeyWatch } from "../../src/key-space/key-space.js";
import { MemoryKeySpace } from "../../src/key-space/memory/memory-key-space.js";
import { V3KeySpace } from "../../src/key-space/v3/v3-key-space.js";
import { createGateway } from "../../src/server/index.js";
import { get, RawClient } from "../embedded/raw-client.js";
import { toBase64 } from "../support/base64.js";
import {
  describeEtcdSideBySide,
  type EtcdCluster,
  type Release,
  startEtcd,
} from "../support/etcd.js";
import { apiOf, V3Tool } from "../v3/v3-tools.js";

/** Number of migrated keys. */
const MIGRATED = Number(process.env.ETCDNET_MIGRATED_KEYS ?? 3_000);
/** Number of events in the history. */
const HISTORY = 10_000;
/** Number of keys on one lease. */
const TOGETHER = Number(process.env.ETCDNET_LEASE_KEYS ?? 10_000);
/** Number of keys that a v3 tool puts in one transaction. */
const PUTS = 10_000;
/**
 * etcd 3.4 needs a millisecond of CPU for the former value of each key when tens of thousands of keys
 * expire together, so it does not run with large numbers.
 */
const RELEASES = (process.env.ETCDNET_RELEASES ?? "3.7").split(",") as readonly Release[];
/** Seconds of CPU that etcd may need for one case. Only quadratic work needs more. */
const CPU_SECONDS = 2 + (MIGRATED + TOGETHER) / 20_000;

for (const release of RELEASES) {
  describeEtcdSideBySide(release, `large changes on etcd ${release}`, () => {
    let etcd: EtcdCluster;
    let tool: V3Tool;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false, args: [`--max-txn-ops=${PUTS}`] });
      tool = new V3Tool(etcd.urls);
    });
    afterAll(async () => {
      tool?.close();
      await etcd?.stop();
    });

    it(`of ${MIGRATED} keys by a migration: a gateway that starts then delivers what comes next`, async ({
      expect,
    }) => {
      await migrateInto(etcd.urls);
      const before = await loadOf(etcd);
      const gateway = await createGateway({ etcd: { urls: etcd.urls } });
      using poll = new RawClient(gateway.url);
      await poll.send(get("/v2/keys/app/d1/key-1?wait=true")).got(/\r\n\r\n/);
      const body = new URLSearchParams({ value: "new" });
      await fetch(`${gateway.url}/v2/keys/app/d1/key-1`, { method: "PUT", body });
      await poll.got(/"value":"new"/);
      await gateway.close();
      const after = await atRest(etcd, before.goroutines);
      expect(after.cpu - before.cpu).toBeLessThan(CPU_SECONDS);
    });

    it(`of ${MIGRATED} keys by a migration are read again for a watch from before, or refused`, async ({
      expect,
    }) => {
      const before = await loadOf(etcd);
      await using gateway = await createGateway({ etcd: { urls: etcd.urls } });
      await using etcdnet = new EtcdClient({ urls: etcd.urls, api: "v3" });
      const poll = async (key: string, waitIndex: number): Promise<unknown> =>
        (await fetch(`${gateway.url}/v2/keys${key}?wait=true&waitIndex=${waitIndex}`)).json();
      const first = (await etcdnet.getNode("/app/d0/key-0")).node.modifiedIndex;
      const last = (await etcdnet.getNode("/app/d1/key-1")).node.modifiedIndex;
      expect(await poll("/app/d0/key-0", 1)).toMatchObject({ errorCode: 401 });
      expect(await poll("/app/d0/key-0", first)).toMatchObject(
        MIGRATED < HISTORY ? { node: { value: "value" } } : { errorCode: 401 },
      );
      expect(await poll("/app/d1/key-1", last)).toMatchObject({ node: { value: "new" } });
      const after = await atRest(etcd, before.goroutines);
      expect(after.cpu - before.cpu).toBeLessThan(CPU_SECONDS);
    });

    it(`of ${PUTS} keys by a transaction are delivered one by one`, async ({ expect }) => {
      const keys = Array.from({ length: PUTS }, (_, n) => `/txn/${String(n).padStart(6, "0")}`);
      const before = await loadOf(etcd);
      const keySpace = new V3KeySpace(apiOf(etcd.urls));
      const watch = await keySpace.openWatch({ key: "/txn", recursive: true });
      const success = keys.map((key) => ({ request_put: { key: toBase64(key), value: "" } }));
      await tool.ask("kv/txn", { success });
      expect(await keysOf(watch)).toEqual(keys);
      await keySpace.close();
      const after = await atRest(etcd, before.goroutines);
      expect(after.cpu - before.cpu).toBeLessThan(CPU_SECONDS);
    });

    it(`of ${TOGETHER} keys by the end of a lease are delivered one by one`, async ({ expect }) => {
      const keys = Array.from(
        { length: TOGETHER },
        (_, n) => `/lease/${String(n).padStart(6, "0")}`,
      );
      const { ID } = await tool.ask("lease/grant", { TTL: "60" });
      for (let at = 0; at < TOGETHER; at += 5_000) {
        const success = keys.slice(at, at + 5_000).map((key) => ({
          request_put: { key: toBase64(key), value: toBase64("some value"), lease: String(ID) },
        }));
        await tool.ask("kv/txn", { success });
      }
      const before = await loadOf(etcd);
      const keySpace = new V3KeySpace(apiOf(etcd.urls));
      const watch = await keySpace.openWatch({ key: "/lease", recursive: true });
      await tool.ask("lease/revoke", { ID });
      expect(await keysOf(watch)).toEqual(keys);
      await keySpace.close();
      const after = await atRest(etcd, before.goroutines);
      expect(after.cpu - before.cpu).toBeLessThan(CPU_SECONDS);
    });
  });
}

/** Fills a cluster as `etcdnet migrate` does. */
async function migrateInto(urls: readonly string[]): Promise<void> {
  const keySpace = new MemoryKeySpace();
  for (let n = 0; n < MIGRATED; n++) {
    await keySpace.execute({ action: "set", key: `/app/d${n % 50}/key-${n}`, value: "value" });
  }
  await using from = new EtcdClient({ keySpace });
  await using to = new EtcdClient({ urls, api: "v3" });
  await migrate({ from, to });
}

async function keysOf(watch: KeyWatch): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { node } of watch) keys.push(node.key);
  return keys;
}

/** Work of etcd, from its metrics. */
async function loadOf(etcd: EtcdCluster) {
  const metrics = await (await fetch(`${etcd.urls[0]}/metrics`)).text();
  const read = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1]);
  return { goroutines: read("go_goroutines"), cpu: read("process_cpu_seconds_total") };
}

/**
 * Goroutines that etcd may have more than before: those of idle HTTP connections, and of Go itself. A
 * leaked watch, or unread events, cost hundreds.
 */
const SPARE_GOROUTINES = 30;
const REST_MS = 20_000;

/** Resolves when etcd is idle and has about this number of goroutines. */
async function atRest(etcd: EtcdCluster, goroutines: number) {
  const until = performance.now() + REST_MS;
  for (let last = await loadOf(etcd); ; ) {
    await sleep(200);
    const now = await loadOf(etcd);
    const isAtRest = now.goroutines <= goroutines + SPARE_GOROUTINES;
    if (isAtRest && now.cpu - last.cpu < 0.1) return now;
    if (performance.now() > until)
      throw new Error(`etcd has ${now.goroutines} goroutines, and had ${goroutines}`);
    last = now;
  }
}
