import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { EtcdClient, Mirror } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { SoakRecord } from "./soak-record.js";
import { SoakWriters } from "./soak-writers.js";

/** Seconds of faults, each kind about twice. `npm run soak:watch` runs for ten minutes. */
const SECONDS = Number(process.env.SOAK_SECONDS ?? 10);

describeWithEtcd("3.4", "watches and mirrors on three members with faults", () => {
  test(
    "deliver the committed history, or a resync for the part that is lost",
    async () => {
      await using cluster = await startEtcd({ release: "3.4", members: 3 });
      const proxies = await Promise.all(cluster.urls.map((url) => FaultProxy.before(url)));
      await using direct = clientOf(cluster.urls);
      await using proxied = clientOf(proxies.map(({ url }) => url));
      await using writers = new SoakWriters(clientOf(cluster.urls));
      const everything = new SoakRecord("everything", direct, "/");
      const subtree = new SoakRecord("a subtree", direct, "/soak/a");
      const key = new SoakRecord("a key", direct, "/soak/b/0");
      const cutOff = new SoakRecord("through proxies", proxied, "/soak");
      const records = [everything, subtree, key, cutOff];
      const mirrors = [new Mirror(direct, "/soak"), new Mirror(proxied, "/soak")];
      await Promise.all([...records, ...mirrors].map(({ ready }) => ready));

      const { kills } = await injectFaults(cluster, proxies, writers);
      await writers.stop();
      const lastOfSubtree = await writers.writeLast("/soak/a/last");
      const last = await writers.writeLast("/soak/b/0");
      await Promise.all([
        ...records.map((each) => each.until(each === subtree ? lastOfSubtree : last)),
        ...mirrors.map((mirror) => mirror.waitFor(last, { signal: AbortSignal.timeout(60_000) })),
      ]);

      for (const record of records) console.info(record.summary);
      console.info(writers.summary);
      for (const record of records) {
        expect(record.faults).toEqual([]);
        expect(record.missing(everything.changes)).toEqual([]);
        expect(record.missing(writers.acknowledged)).toEqual([]);
      }
      // A restarted member writes its URLs to a key that no watch covers, and again if that is not confirmed.
      expect(everything.holes).toBeLessThanOrEqual(2 * kills);
      expect(cutOff.resyncs).toBeGreaterThan(0);
      const { node } = await direct.getNode("/soak", { recursive: true, quorum: true });
      for (const mirror of mirrors) {
        expect([...mirror].length).toBeGreaterThan(0);
        for (const directory of node.nodes ?? []) {
          const held = mirror.list(directory.key).map(({ key, value }) => [key, value]);
          const kept = directory.nodes?.map(({ key, value }) => [key, value]).sort();
          expect(held.sort()).toEqual(kept);
        }
      }
      await Promise.all(mirrors.map((mirror) => mirror.close()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
    (SECONDS + 120) * 1000,
  );
});

function clientOf(urls: readonly string[]): EtcdClient {
  return new EtcdClient({
    urls,
    requestTimeout: 2_000,
    writeTimeout: 3_000,
    connectTimeout: 1_000,
  });
}

/** Injects one fault after another until the time is over, each kind at least once. */
async function injectFaults(
  cluster: EtcdCluster,
  proxies: readonly FaultProxy[],
  writers: SoakWriters,
): Promise<{ readonly kills: number }> {
  const kinds = [
    () => killOne(cluster),
    () => pauseLeader(cluster),
    () => cutAll(proxies),
    () => overrunHistory(proxies, writers),
  ];
  const end = performance.now() + SECONDS * 1000;
  let rounds = 0;
  while (rounds < kinds.length || performance.now() < end) {
    await kinds[rounds % kinds.length]?.();
    await delay(500);
    rounds++;
  }
  return { kills: Math.ceil(rounds / kinds.length) };
}

async function killOne({ members }: EtcdCluster): Promise<void> {
  const member = members[Math.floor(Math.random() * members.length)];
  await member?.kill();
  await delay(1_000);
  await member?.start();
}

async function pauseLeader({ members, urls }: EtcdCluster): Promise<void> {
  await using etcd = clientOf(urls);
  const leader = await etcd.members.leader();
  const member = members.find(({ url }) => leader.clientURLs.includes(url)) ?? members[0];
  member.pause();
  await delay(2_000);
  member.resume();
}

async function cutAll(proxies: readonly FaultProxy[]): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.cut()));
}

/** Makes more changes than etcd keeps while the proxies refuse connections. */
async function overrunHistory(proxies: readonly FaultProxy[], writers: SoakWriters): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.become("refuse")));
  await writers.waitForMore(1_500);
  await Promise.all(proxies.map((proxy) => proxy.become("pass")));
}
