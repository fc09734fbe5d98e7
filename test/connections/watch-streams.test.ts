import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions, EtcdError, type WatchTrace } from "../../src/index.js";
import { serverCertificate } from "../support/certificates.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

describeWithEtcd("3.4", "watches over TLS", () => {
  let cluster: EtcdCluster;
  let proxy: FaultProxy;
  let writer: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4", tls: true, args: ["--max-concurrent-streams=50"] });
    proxy = await FaultProxy.before(cluster.urls[0]);
    writer = clientWith({ urls: cluster.urls });
  });
  afterAll(async () => {
    await writer.close();
    await proxy.close();
    await cluster.stop();
  });

  const clientWith = (options: EtcdClientOptions = {}) =>
    new EtcdClient({ urls: [proxy.url], ...(cluster.ca && { ca: cluster.ca }), ...options });

  const watchers = async () => (await writer.stats.store()).watchers;
  const stand = (count: number) => expect.poll(watchers).toBe(count);

  test("share connections, up to the stream limit of the server", async () => {
    await using etcd = clientWith();
    const before = proxy.connections;
    const watches = Array.from({ length: 120 }, () => etcd.watchNode("/shared"));
    await stand(120);
    expect(proxy.connections - before).toBe(3);
    await writer.setNode("/shared", "1");
    for (const event of await Promise.all(watches)) expect(event).toMatchObject({ action: "set" });
    await stand(0);
  });

  test("are aborted one by one, and free their streams", async () => {
    await using etcd = clientWith();
    const before = proxy.connections;
    const kept = etcd.watchNode("/kept");
    await stand(1);
    for (let i = 0; i < 5; i++) {
      const caller = new AbortController();
      const given = Array.from({ length: 49 }, () =>
        etcd.watchNode("/given-up", { signal: caller.signal }),
      );
      await stand(50);
      caller.abort();
      for (const { status } of await Promise.allSettled(given)) expect(status).toBe("rejected");
      await stand(1);
    }
    expect(proxy.connections - before).toBe(1);
    await writer.setNode("/kept", "1");
    expect(await kept).toMatchObject({ node: { key: "/kept" } });
  });

  test("continue after their connection was cut", async () => {
    await using etcd = clientWith();
    // etcd counts a watch before the client has its response, without which a watch is not open.
    let open = 0;
    const count = (message: unknown): void => {
      const { operation, event } = message as WatchTrace;
      if (operation === "GET /cut" && event === "open") open++;
    };
    subscribe("etcdnet:watch", count);
    const watches = Array.from({ length: 20 }, () => etcd.watchNode("/cut"));
    await expect.poll(() => open).toBe(20);
    unsubscribe("etcdnet:watch", count);
    await proxy.cut();
    await writer.setNode("/cut", "1");
    for (const event of await Promise.all(watches))
      expect(event.node).toMatchObject({ value: "1" });
  });

  test("leave a dead connection as soon as one of them detects it", async () => {
    await using etcd = clientWith({ requestTimeout: 200, connectTimeout: 200 });
    const standing = etcd.watchNode("/dead").catch((error: unknown) => error);
    await stand(1);
    await proxy.become("hang");
    await expect(etcd.watchNode("/dead")).rejects.toMatchObject({ name: "TimeoutError" });
    // The failed ping ended it, and there is no other endpoint.
    expect(await standing).toBeInstanceOf(EtcdError);
    await proxy.become("pass");
    await proxy.cut();
    const again = etcd.watchNode("/dead");
    await stand(1);
    await writer.setNode("/dead", "1");
    expect(await again).toMatchObject({ node: { key: "/dead" } });
  });

  test("are refused by etcd as with HTTP/1", async () => {
    await using etcd = clientWith();
    for (let i = 0; i < 1_100; i += 100) {
      await Promise.all(Array.from({ length: 100 }, () => writer.setNode("/busy", "1")));
    }
    await expect(etcd.watchNode("/busy", { waitIndex: 5 })).rejects.toMatchObject({
      name: "EventIndexClearedError",
    });
  });

  test("carry events of 10 MiB", async () => {
    await using etcd = clientWith();
    const value = "v".repeat(10 * 1024 * 1024 - "value=".length);
    const watches = Array.from({ length: 4 }, () => etcd.watchNode("/large"));
    await stand(4);
    await writer.setNode("/large", value);
    for (const event of await Promise.all(watches)) expect(event.node.value === value).toBe(true);
    await writer.deleteNode("/large");
  });

  test("end with the client", async () => {
    const etcd = clientWith();
    const watches = Array.from({ length: 60 }, () => etcd.watchNode("/closed"));
    await stand(60);
    await etcd.close();
    for (const outcome of await Promise.allSettled(watches)) {
      expect(outcome).toMatchObject({ reason: { name: "AbortError", outcome: "none" } });
    }
    await expect.poll(() => proxy.open).toBe(0);
  });

  test("have one connection each if the server does not offer HTTP/2", async () => {
    await using plain = await startEtcd({ release: "3.4" });
    await using front = await startTlsFront(plain.urls[0]);
    await using etcd = clientWith({ urls: [front.url] });
    const watches = Array.from({ length: 5 }, () => etcd.watchNode("/a", { waitIndex: 1 }));
    await etcd.setNode("/a", "1");
    for (const event of await Promise.all(watches)) expect(event).toMatchObject({ action: "set" });
  });
});

describeWithEtcd("3.4", "watches over TLS at a member that is stopped", () => {
  test("continue at another member at once", async () => {
    await using cluster = await startEtcd({ release: "3.4", members: 3, tls: true });
    const ca = cluster.ca ?? "";
    await using etcd = new EtcdClient({ urls: cluster.urls, ca });
    const { etcdServer } = await etcd.getNode("/");
    const watches = Array.from({ length: 10 }, () => etcd.watchNode("/stopped"));
    const pinned = cluster.members.find(({ url }) => url === etcdServer);
    await using direct = new EtcdClient({
      urls: cluster.urls.filter((url) => url !== etcdServer),
      ca,
    });
    await using there = new EtcdClient({ urls: [etcdServer], ca });
    await expect.poll(async () => (await there.stats.store()).watchers).toBe(10);
    const stopping = pinned?.stop();
    await expect
      .poll(() =>
        direct.setNode("/stopped", "1").then(
          () => "set",
          () => "not yet",
        ),
      )
      .toBe("set");
    for (const event of await Promise.all(watches)) expect(event).toMatchObject({ action: "set" });
    await stopping;
  });
});

/** TLS without HTTP/2 in front of a plain endpoint. */
async function startTlsFront(endpoint: string): Promise<{ url: string } & AsyncDisposable> {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  const server = createServer({ ...serverCertificate(), ALPNProtocols: ["http/1.1"] }, (client) => {
    sockets.add(client);
    const etcd = connect(Number(port), hostname);
    client.on("error", () => {}).on("close", () => etcd.destroy());
    etcd.on("error", () => {}).on("close", () => client.destroy());
    client.pipe(etcd).pipe(client);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
