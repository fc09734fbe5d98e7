import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdClientOptions } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** Milliseconds. */
const TIMEOUT = 200;
const BLOCKED_FOR = 300;
const LONGEST_BLOCK = 1_000;
/** Shorter ones are not recognized. */
const SHORTEST_BLOCK = 100;

/** Blocks the event loop, as a long computation or a breakpoint does. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

const CALLS = {
  "a local read": (etcd: EtcdClient) => etcd.getNode("/a"),
  "a quorum read": (etcd: EtcdClient) => etcd.getNode("/a", { quorum: true }),
  "a write": (etcd: EtcdClient) => etcd.setNode("/a", "1"),
  "a health check": async (etcd: EtcdClient) => {
    expect(await etcd.health()).toMatchObject([{ healthy: true }]);
  },
};

test("a connection that is refused while the event loop is blocked fails only its call", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  await using etcd = new EtcdClient({ urls: [`http://127.0.0.1:${port}`] });
  const answer = etcd.getNode("/a");
  block(30);
  await expect(answer).rejects.toThrow("ECONNREFUSED");
});

for (const api of ["v2", "v3"] as const) {
  describeWithEtcd("3.5", `a blocked event loop, with the ${api} API`, () => {
    let cluster: EtcdCluster;
    let relay: Worker;
    let behindRelay: string;
    let counts: Int32Array;
    /**
     * Blocks the event loop until the relay has closed all connections, at least one more than before. Over
     * HTTP/2 it may not close one, because the last frame can be an acknowledgement of the client.
     */
    const blockUntilClosed = (before: number): void => {
      const end = performance.now() + LONGEST_BLOCK;
      relay.postMessage(true);
      while (performance.now() < end) {
        const [opened = 0, closed = 0] = [Atomics.load(counts, 0), Atomics.load(counts, 1)];
        if (opened > before && opened === closed) break;
        Atomics.wait(counts, 1, closed, 10);
      }
      relay.postMessage(false);
      block(SHORTEST_BLOCK);
    };
    beforeAll(async () => {
      cluster = await startEtcd({ release: "3.5" });
      const port = Number(new URL(cluster.urls[0]).port);
      counts = new Int32Array(new SharedArrayBuffer(8));
      const workerData = { port, counts };
      relay = new Worker(new URL("./idle-closer.mjs", import.meta.url), { workerData });
      const [address] = await once(relay, "message");
      behindRelay = `http://127.0.0.1:${address.port}`;
    });
    afterAll(async () => {
      await relay.terminate();
      await cluster.stop();
    });
    const connect = (url: string, options: EtcdClientOptions = {}) =>
      new EtcdClient({ urls: [url], api, ...options });
    const timeouts = { requestTimeout: TIMEOUT, writeTimeout: TIMEOUT };

    test("causes no timeout of a call whose response has arrived", async () => {
      await using etcd = connect(cluster.urls[0], timeouts);
      await etcd.setNode("/a", "1");
      const answers = Object.values(CALLS).map((call) => call(etcd));
      await setImmediate();
      block(BLOCKED_FOR);
      await Promise.all(answers);
    });

    test("causes no timeout of a first call that was connecting", async () => {
      await using etcd = connect(cluster.urls[0], timeouts);
      const answer = etcd.setNode("/a", "1");
      block(BLOCKED_FOR);
      await answer;
    });

    test.each(Object.entries(CALLS))("does not let %s use a closed connection", async (_, call) => {
      await using etcd = connect(behindRelay);
      const before = Atomics.load(counts, 0);
      await Promise.all(Array.from({ length: 5 }, () => etcd.setNode("/a", "1")));
      blockUntilClosed(before);
      await Promise.all([call(etcd), call(etcd)]);
    });

    test("does not hide a close after a response", async () => {
      await using etcd = connect(behindRelay);
      const before = Atomics.load(counts, 0);
      await etcd.setNode("/a", "1");
      const answer = etcd.setNode("/a", "2");
      await setImmediate();
      blockUntilClosed(before);
      await answer;
      await etcd.setNode("/a", "3");
    });

    test("does not hide the close of a new connection", async () => {
      await using etcd = connect(behindRelay);
      const before = Atomics.load(counts, 0);
      const answer = etcd.setNode("/a", "1");
      await setImmediate();
      blockUntilClosed(before);
      await answer;
    });
  });
}
