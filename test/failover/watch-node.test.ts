import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, EventIndexClearedError, ProtocolError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { proxiedClient } from "./proxied-client.js";
import { watchStands } from "./watch-stands.js";

const HISTORY = 1_000;

describeWithEtcd("3.4", "watchNode", () => {
  let cluster: EtcdCluster;
  let direct: EtcdClient;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", members: 3 });
    direct = new EtcdClient({ urls: cluster.urls });
  });

  afterAll(async () => {
    await direct?.close();
    await cluster?.stop();
  });

  test("a watch continues at another member when its member dies", async () => {
    await using client = await proxiedClient(cluster);
    const member = cluster.members[client.proxies.indexOf(client.pinned)];
    const stands = watchStands();
    const watch = client.etcd.watchNode("/killed");
    await stands;
    await member?.kill();
    try {
      const leader = async () => (await direct.members.leader()).name;
      await expect.poll(leader).not.toBe(member?.name);
      const { node } = await direct.setNode("/killed", "x");
      expect((await watch).node).toEqual(node);
      expect((await watch).etcdServer).not.toBe(client.pinned.url);
    } finally {
      await member?.start();
    }
  });

  test.each([
    ["from now", undefined],
    ["from an index", 1],
  ])("changes while no member was reachable are delivered, %s", async (_name, waitIndex) => {
    await using client = await proxiedClient(cluster);
    const key = `/unreachable/${waitIndex}`;
    const stands = watchStands();
    const watch = client.etcd.watchNode(key, waitIndex === undefined ? {} : { waitIndex });
    await stands;
    for (const proxy of client.proxies) await proxy.become("hang");
    await client.pinned.cut();
    const { node } = await direct.setNode(key, "while away");
    await direct.setNode(key, "later");
    for (const proxy of client.others) await proxy.become("pass");
    await client.pinned.become("pass");
    expect((await watch).node).toEqual(node);
  });

  test("a watch that a proxy ends without an event is reopened", async () => {
    await using client = await proxiedClient(cluster);
    let stands = watchStands();
    const watch = client.etcd.watchNode("/ended");
    for (let round = 0; round < 2; round++) {
      await stands;
      stands = watchStands();
      client.pinned.endWatches();
    }
    await stands;
    client.pinned.endWatches();
    const { node } = await direct.setNode("/ended", "while it was away");
    expect((await watch).node).toEqual(node);
  });

  test("close ends a watch that waits to be reopened", async () => {
    await using client = await proxiedClient(cluster);
    let stands = watchStands();
    const watch = client.etcd.watchNode("/waiting").catch((error: unknown) => error);
    await stands;
    stands = watchStands();
    client.pinned.endWatches();
    await stands;
    client.pinned.endWatches();
    // It is reopened after a quarter of a second at the earliest.
    await setTimeout(50);
    await client.etcd.close();
    expect(await watch).toMatchObject({ name: "AbortError", outcome: "none" });
  });

  test("discarded history is reported, not skipped", async () => {
    const { etcdIndex } = await direct.setNode("/old", "x");
    for (let sent = 0; sent < HISTORY + 1; sent += 91) {
      const writes = Array.from({ length: 91 }, () => direct.setNode("/new", "x"));
      await Promise.all(writes);
    }
    const watch = direct.watchNode("/old", { waitIndex: etcdIndex });
    await expect(watch).rejects.toThrow(EventIndexClearedError);
    await expect(watch).rejects.toMatchObject({ errorCode: 401, status: 400 });
  });

  test("an invalid response is refused, and its connection is closed", async () => {
    const stranger = createServer((_, answer) => answer.writeHead(200).write("<html>\n"));
    await once(stranger.listen(0, "127.0.0.1"), "listening");
    const { port } = stranger.address() as AddressInfo;
    await using etcd = new EtcdClient({ urls: [`http://127.0.0.1:${port}`] });
    const connected = once(stranger, "connection");
    await expect(etcd.watchNode("/strange")).rejects.toThrow(ProtocolError);
    const [socket] = await connected;
    await expect.poll(() => socket.destroyed).toBe(true);
    stranger.close();
    stranger.closeAllConnections();
  });
});
