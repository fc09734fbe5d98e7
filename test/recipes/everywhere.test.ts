/** Each recipe on real servers, whose expiry nobody can hurry. */

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
import { describeOnEach, type Stand } from "./stands.js";

/** Seconds; a quarter of it is the time for an answer, in a process that serves itself. */
const TTL = 3;

describeOnEach("recipes", (start) => {
  let stand: Stand;
  let one: EtcdClient;
  let two: EtcdClient;

  beforeAll(async () => {
    stand = await start();
    one = stand.client();
    two = stand.client();
  });

  afterAll(async () => {
    await one?.close();
    await two?.close();
    await stand?.[Symbol.asyncDispose]();
  });

  test.concurrent("a key outlives its TTL while it is kept alive", async () => {
    const kept = await one.keepAlive("/kept", "mine", { ttl: 2 });
    const renewals: number[] = [];
    kept.on("renewed", () => renewals.push(performance.now()));
    await delay(5_000);
    kept.assertHeld();
    expect(await two.getNodeValue("/kept", { quorum: true })).toBe("mine");
    expect(renewals.length).toBeGreaterThanOrEqual(5);
    await kept.close();
    expect(await two.getNodeValue("/kept", { quorum: true, ignoreKeyNotFound: true })).toBeNull();
  });

  test.concurrent("a key survives a hung member: refreshes go to another in time", async () => {
    await using client = await proxiedClient(threeWaysTo(stand), { api: stand.api });
    const { etcd, pinned } = client;
    const kept = await etcd.keepAlive("/hung", "mine", { ttl: 2 });
    await pinned.become("hang");
    await delay(3_000);
    kept.assertHeld();
    await kept.close();
  });

  test.concurrent("a lock passes on in line, also when its holder's process is gone", async () => {
    const gone = stand.client();
    const first = await new Lock(gone, "/lock", { ttl: TTL }).acquire();
    const second = new Lock(one, "/lock", { ttl: TTL }).acquire();
    await untilInLine(two, "/lock", 2);
    const third = new Lock(two, "/lock", { ttl: TTL }).acquire();
    await untilInLine(two, "/lock", 3);
    expect(await new Lock(two, "/lock").tryAcquire()).toBeNull();
    await gone.close();
    const next = await second;
    expect(await inLine(two, "/lock")).toBe(2);
    await next.release();
    const last = await third;
    const tokens = [first, next, last].map(({ fencingToken }) => fencingToken);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    await last.release();
    expect(await inLine(two, "/lock")).toBe(0);
  });

  test.concurrent("an election passes on when its leader's process is gone", async () => {
    const gone = stand.client();
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

  test.concurrent("a queue delivers in order, and again when a consumer is gone", async () => {
    const gone = stand.client();
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

  test.concurrent("instances come, change and go", async () => {
    const gone = stand.client();
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

  // Those that keep the process busy run alone: TTLs of the others are short.
  test("200 items, 10 consumers on two clients: each item once", async () => {
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
    await Promise.all(expected.map((value) => one.createInOrderNode("/many", value)));
    await Promise.all(consumers);
    expect([...values].sort((a, b) => Number(a) - Number(b))).toEqual(expected);
    for (const queue of queues) await queue.close();
  });

  test("a watch tells every change once, whatever becomes of its connection", async () => {
    await using client = await proxiedClient(threeWaysTo(stand), { api: stand.api });
    await one.setNode("/watched/0", "0");
    const watcher = client.etcd.watch("/watched", { recursive: true, initial: true });
    const initial = await watcher.next();
    expect(initial).toMatchObject({ value: { type: "resync", reason: "initial" } });
    const values = Array.from({ length: 60 }, (_, at) => `${at}`);
    const told = take(watcher, values.length);
    for (const value of values) {
      if (value === "20") await client.pinned.cut();
      if (value === "40") await client.pinned.become("refuse");
      await one.setNode(`/watched/${Number(value) % 7}`, value);
    }
    expect((await told).map(changed)).toEqual(values);
  });
});

/** A server as three endpoints. */
function threeWaysTo({ urls }: Stand): { readonly urls: readonly string[] } {
  return { urls: [...urls, ...urls, ...urls] };
}

async function inLine(etcd: EtcdClient, key: string): Promise<number> {
  return (await etcd.getNode(key, { quorum: true })).node.nodes?.length ?? 0;
}

async function untilInLine(etcd: EtcdClient, key: string, count: number): Promise<void> {
  await vi.waitFor(async () => expect(await inLine(etcd, key)).toBe(count));
}

async function take(watcher: Watcher, count: number): Promise<readonly WatchItem[]> {
  const items: WatchItem[] = [];
  for await (const item of watcher) if (items.push(item) === count) break;
  return items;
}

function changed(item: WatchItem): string | undefined {
  return item.type === "change" ? item.response.node.value : item.reason;
}
