/** Each recipe on real servers, where keys expire in real time. */

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  Election,
  type EtcdClient,
  type InstanceEvent,
  Lock,
  Queue,
  Registry,
  type Watcher,
  type WatchItem,
} from "../../src/index.js";
import { proxiedClient } from "../failover/proxied-client.js";
import { shortTtl } from "../support/cpu-share.js";
import { describeEtcdSideBySide } from "../support/etcd.js";
import { inBatches } from "../support/in-batches.js";
import { describeOnEach, type TestServer } from "./test-servers.js";

/** Seconds. A quarter of it is the time limit of a response, in a busy process that may also run the gateway. */
const TTL = 4 * shortTtl();

/** The tests that wait for a TTL do so at the same time, on all servers. */
vi.setConfig({ maxConcurrency: 40 });

type Opened = [server: TestServer, one: EtcdClient, two: EtcdClient];

/** Gives a suite a server and two clients. */
function withServer(start: () => Promise<TestServer>, use: (...opened: Opened) => void): void {
  let end = async (): Promise<void> => {};
  beforeAll(async () => {
    const server = await start();
    const [one, two] = [server.client(), server.client()];
    end = async () => {
      await one.close();
      await two.close();
      await server[Symbol.asyncDispose]();
    };
    use(server, one, two);
  });
  afterAll(() => end());
}

const waitForTtls = (start: () => Promise<TestServer>): void => {
  let server: TestServer;
  let one: EtcdClient;
  let two: EtcdClient;
  withServer(start, (...opened) => {
    [server, one, two] = opened;
  });

  test.concurrent("a key outlives its TTL while it is kept alive", async () => {
    const kept = await one.keepAlive("/kept", "mine", { ttl: TTL });
    let renewals = 0;
    kept.on("renewed", () => renewals++);
    await delay(TTL * 1_000 + 1_000);
    kept.assertHeld();
    expect(await two.getNodeValue("/kept", { quorum: true })).toBe("mine");
    expect(renewals).toBeGreaterThanOrEqual(1);
    await kept.close();
    expect(await two.getNodeValue("/kept", { quorum: true, ignoreKeyNotFound: true })).toBeNull();
  });

  test.concurrent("a key survives a hung member: its renewals switch to another member in time", async () => {
    await using client = await proxiedClient(asThreeEndpoints(server), { api: server.api });
    const { etcd, pinned } = client;
    const kept = await etcd.keepAlive("/hung", "mine", { ttl: TTL });
    await pinned.become("hang");
    await delay(TTL * 1_000 + 1_000);
    kept.assertHeld();
    await kept.close();
  });

  test.concurrent("a lock passes to the next contender, also when the client of its holder is closed", async ({
    expect,
  }) => {
    const gone = server.client();
    const first = await new Lock(gone, "/lock", { ttl: TTL }).acquire();
    const second = new Lock(one, "/lock", { ttl: TTL }).acquire();
    await expect.poll(() => contenderCount(two, "/lock")).toBe(2);
    const third = new Lock(two, "/lock", { ttl: TTL }).acquire();
    await expect.poll(() => contenderCount(two, "/lock")).toBe(3);
    expect(await new Lock(two, "/lock").tryAcquire()).toBeNull();
    await gone.close();
    const next = await second;
    expect(await contenderCount(two, "/lock")).toBe(2);
    await next.release();
    const last = await third;
    const tokens = [first, next, last].map(({ fencingToken }) => fencingToken);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    await last.release();
    expect(await contenderCount(two, "/lock")).toBe(0);
  });

  test.concurrent("an election passes to the next candidate when the client of its leader is closed", async () => {
    const gone = server.client();
    await new Election(gone, "/election", { ttl: TTL }).campaign("first");
    const election = new Election(one, "/election", { ttl: TTL });
    const seen: (string | undefined)[] = [];
    const stop = new AbortController();
    const observing = (async () => {
      for await (const leader of new Election(two, "/election").observe({ signal: stop.signal })) {
        seen.push(leader?.value);
        if (leader?.value === "third") stop.abort();
      }
    })();
    const campaign = election.campaign("second");
    await delay(500);
    await gone.close();
    const won = await campaign;
    await won.proclaim("third");
    await observing;
    expect(seen.filter((value) => value !== "second" && value !== undefined)).toEqual([
      "first",
      "third",
    ]);
    await won.resign();
  });

  test.concurrent("a queue delivers in order, and delivers an item again when the client of its consumer is closed", async () => {
    const gone = server.client();
    const queue = new Queue(one, "/queue", { visibilityTimeout: TTL });
    for (const value of ["a", "b", "c"]) await queue.enqueue(value);
    const lost = await new Queue(gone, "/queue", { visibilityTimeout: TTL }).take();
    expect(lost.value).toBe("a");
    const others = [await queue.take(), await queue.take()];
    expect(others.map(({ value }) => value)).toEqual(["b", "c"]);
    const again = queue.take();
    await gone.close();
    const item = await again;
    expect(item.value).toBe("a");
    for (const taken of [item, ...others]) await taken.acknowledge();
    await queue.close();
    const { node } = await two.getNode("/queue", { quorum: true });
    expect(node.nodes).toBeUndefined();
  });

  test.concurrent("a registry reports instances that appear, change and disappear", async () => {
    const gone = server.client();
    const stop = new AbortController();
    const events: InstanceEvent[] = [];
    const registry = new Registry(one, "/services");
    const watching = (async () => {
      for await (const event of registry.watch("mail", { signal: stop.signal })) {
        events.push(event);
        if (event.type === "down") stop.abort();
      }
    })();
    const elsewhere = new Registry(gone, "/services");
    const instance = { id: "a", metadata: { port: 25 } };
    const registration = await elsewhere.register("mail", instance, { ttl: TTL });
    expect(await registry.discover("mail")).toEqual([instance]);
    await registration.update({ port: 26 });
    await gone.close();
    await watching;
    expect(events.map(({ type }) => type)).toEqual(["up", "changed", "down"]);
    expect(await registry.discover("mail")).toEqual([]);
  });
};

const keepBusy = (start: () => Promise<TestServer>): void => {
  let server: TestServer;
  let one: EtcdClient;
  let two: EtcdClient;
  withServer(start, (...opened) => {
    [server, one, two] = opened;
  });

  test("10 consumers on two clients receive each of 200 items once", async () => {
    const queues = [new Queue(one, "/many"), new Queue(two, "/many")];
    const values: string[] = [];
    const expected = Array.from({ length: 200 }, (_, at) => `${at}`);
    const consumers = Array.from({ length: 10 }, async (_, at) => {
      for (let count = 0; count < 20; count++) {
        const item = await queues[at % 2]?.take();
        values.push(item?.value ?? "");
        await item?.acknowledge();
      }
    });
    await inBatches(expected.length, (at) => one.createInOrderNode("/many", `${at}`));
    await Promise.all(consumers);
    expect([...values].sort((a, b) => Number(a) - Number(b))).toEqual(expected);
    for (const queue of queues) await queue.close();
  });

  test("a watch delivers every change once, also when its connection is cut or refused", async () => {
    await using client = await proxiedClient(asThreeEndpoints(server), { api: server.api });
    await one.setNode("/watched/0", "0");
    const watcher = client.etcd.watch("/watched", { recursive: true, initial: true });
    const initial = await watcher.next();
    expect(initial).toMatchObject({ value: { type: "resync", reason: "initial" } });
    const values = Array.from({ length: 60 }, (_, at) => `${at}`);
    const delivered = take(watcher, values.length);
    for (const value of values) {
      if (value === "20") await client.pinned.cut();
      if (value === "40") await client.pinned.become("refuse");
      await one.setNode(`/watched/${Number(value) % 7}`, value);
    }
    expect((await delivered).map(changed)).toEqual(values);
  });
};

// Tests that keep the process busy run alone, because the TTLs of the others are short.
describeOnEach("recipes that wait", waitForTtls, describeEtcdSideBySide);
describeOnEach("busy recipes", keepBusy);

/** The URLs of a server, as three endpoints. */
function asThreeEndpoints({ urls }: TestServer): { readonly urls: readonly string[] } {
  return { urls: [...urls, ...urls, ...urls] };
}

async function contenderCount(etcd: EtcdClient, key: string): Promise<number> {
  return (await etcd.getNode(key, { quorum: true })).node.nodes?.length ?? 0;
}

async function take(watcher: Watcher, count: number): Promise<readonly WatchItem[]> {
  const items: WatchItem[] = [];
  for await (const item of watcher) if (items.push(item) === count) break;
  return items;
}

function changed(item: WatchItem): string | undefined {
  return item.type === "change" ? item.response.node.value : item.reason;
}
