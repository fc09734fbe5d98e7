import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, OutcomeUnknownError, TimeoutError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import type { Fault } from "../support/fault-proxy.js";
import { clientOfFaulty, nodesOf, prepareReads, READS, SLOW } from "./faulty-member.js";
import type { ProxiedClient } from "./proxied-client.js";
import { currentIndex, isDone, prepare, WRITES, type Write } from "./writes.js";

/** Faults that occur before anything is written to the connection. */
const CERTAIN: readonly Fault[] = ["refuse"];

/** Faults after which the outcome is unknown, and whether etcd received the whole request. */
const UNCERTAIN: readonly { readonly fault: Fault; readonly carriedOut: boolean }[] = [
  { fault: "hang", carriedOut: false },
  { fault: "cut on connect", carriedOut: false },
  { fault: "cut before request", carriedOut: false },
  { fault: "cut after request", carriedOut: true },
  { fault: "cut in response", carriedOut: true },
  { fault: "drip", carriedOut: true },
];

describeWithEtcd("3.4", "a member behind a bad connection", () => {
  let cluster: EtcdCluster;
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    direct = new EtcdClient({ urls: cluster.urls, consistency: "quorum" });
    await prepareReads(direct);
  });

  afterAll(async () => {
    await direct?.close();
    await cluster?.stop();
  });

  /** Requests that the faulty member receives. A cut on a reused connection is retried once on a new one. */
  const TRIES: Partial<Record<Fault, number>> = {
    refuse: 0,
    "cut on connect": 0,
    "cut before request": 2,
    "cut after request": 2,
  };

  test.each([...CERTAIN, ...UNCERTAIN.map(({ fault }) => fault)])(
    "%s: another member responds to every read",
    async (fault) => {
      await Promise.all(
        Object.values(READS).map(async (read) => {
          await using client = await clientOfFaulty(cluster, fault);
          const seenBefore = client.pinned.requests.length;
          expect(nodesOf(await read(client.etcd))).toEqual(nodesOf(await read(direct)));
          const tries = client.pinned.requests.length - seenBefore;
          expect(tries).toBe(TRIES[fault] ?? 1);
        }),
      );
    },
  );

  /** Sends every write once, each with its own client. Returns how often they were applied. */
  async function writeAll(fault: Fault, check: (write: Write, sent: Sent) => Promise<void>) {
    const keys = new Map(WRITES.map((write) => [write, `/${fault}/${write.name}`] as const));
    for (const [write, key] of keys) await prepare(direct, key, write);
    const before = await currentIndex(direct);
    await Promise.all(
      [...keys].map(async ([write, key]) => {
        await using client = await clientOfFaulty(cluster, fault);
        const outcome = await write.send(client.etcd, key).then(
          () => "done",
          (error: unknown) => error,
        );
        await check(write, { key, client, outcome });
      }),
    );
    return (await currentIndex(direct)) - before;
  }

  test.each(CERTAIN)("%s: another member applies every write once", async (fault) => {
    const applied = await writeAll(fault, async (write, { key, outcome }) => {
      expect.soft(outcome, write.name).toBe("done");
      expect.soft(await isDone(direct, key, write), write.name).toBe(true);
    });
    expect(applied).toBe(WRITES.length);
  });

  test.each(UNCERTAIN)(
    "$fault: no write is repeated, and its outcome is reported as unknown",
    async ({ fault, carriedOut }) => {
      let elsewhere = 0;
      const applied = await writeAll(fault, async (write, { key, client, outcome }) => {
        // When the cut arrives before the client has written anything, the write goes to another member.
        if (fault === "cut on connect" && outcome === "done") {
          elsewhere++;
          expect.soft(client.others.flatMap(({ requests }) => requests)).toHaveLength(1);
          return;
        }
        expect.soft(outcome, write.name).toBeInstanceOf(OutcomeUnknownError);
        const { endpoint, cause } = outcome as OutcomeUnknownError;
        expect.soft(endpoint).toBe(client.pinned.url);
        expect.soft(cause).toBeInstanceOf(Error);
        expect.soft(cause instanceof TimeoutError).toBe(SLOW.has(fault));
        expect.soft(client.others.flatMap(({ requests }) => requests)).toEqual([]);
        expect.soft(await isDone(direct, key, write), write.name).toBe(carriedOut);
      });
      expect(applied).toBe(carriedOut ? WRITES.length : elsewhere);
    },
  );
});

interface Sent {
  readonly key: string;
  readonly client: ProxiedClient;
  readonly outcome: unknown;
}
