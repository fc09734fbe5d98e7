/** Each recipe on a real etcd, whose expiry nobody can hurry. */

import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Election, EtcdClient, type InstanceEvent, Queue, Registry } from "../../src/index.js";
import { proxiedClient } from "../failover/proxied-client.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

describeWithEtcd("3.4", "recipes on etcd", () => {
  let cluster: EtcdCluster;
  let one: EtcdClient;
  let two: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    one = new EtcdClient({ urls: cluster.urls });
    two = new EtcdClient({ urls: cluster.urls });
  });

  afterAll(async () => {
    await one?.close();
    await two?.close();
    await cluster?.stop();
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
    const three = { urls: [...cluster.urls, ...cluster.urls, ...cluster.urls] };
    await using client = await proxiedClient(three);
    const { etcd, pinned } = client;
    const kept = await etcd.keepAlive("/hung", "mine", { ttl: 2 });
    await pinned.become("hang");
    await delay(3_000);
    kept.assertHeld();
    await kept.close();
  });

  test.concurrent("an election passes on when its leader's process is gone", async () => {
    const gone = new EtcdClient({ urls: cluster.urls });
    await new Election(gone, "/election", { ttl: 2 }).campaign("first");
    const election = new Election(one, "/election", { ttl: 2 });
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
    const gone = new EtcdClient({ urls: cluster.urls });
    const queue = new Queue(one, "/queue", { visibilityTimeout: 2 });
    for (const value of ["a", "b", "c"]) await queue.enqueue(value);
    const lost = await new Queue(gone, "/queue", { visibilityTimeout: 2 }).take();
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

  test.concurrent("200 items, 10 consumers on two clients: each item once", async () => {
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

  test.concurrent("instances come, change and go", async () => {
    const gone = new EtcdClient({ urls: cluster.urls });
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
    const registration = await elsewhere.register("mail", instance, { ttl: 2 });
    expect(await registry.discover("mail")).toEqual([instance]);
    await registration.update({ port: 26 });
    await gone.close();
    await watching;
    expect(events.map(({ type }) => type)).toEqual(["up", "changed", "down"]);
    expect(await registry.discover("mail")).toEqual([]);
  });
});
