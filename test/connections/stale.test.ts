import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { EtcdClient, OutcomeUnknownError } from "../../src/index.js";
import { ETCD_HEADERS, GOOD_GET, GOOD_SET } from "../odd-server.js";

const HEALTHY = JSON.stringify({ health: "true" });

/** What happens to a request on a connection that a firewall has forgotten. */
type Fate = "reset" | "close" | "swallow" | "half an answer";

/** A server that responds, except on connections that were open when `forget` was called. */
async function startForgetful() {
  const fates = new Map<Socket, Fate | undefined>();
  let connections = 0;
  let asked = 0;
  const server = createServer((socket) => {
    connections++;
    fates.set(socket, undefined);
    socket.on("error", () => {}).on("close", () => fates.delete(socket));
    socket.on("data", (bytes) => {
      asked++;
      const fate = fates.get(socket);
      if (fate === "reset") socket.resetAndDestroy();
      else if (fate === "close") socket.end();
      else if (fate === "half an answer") socket.end("HTTP/1.1 200 OK\r\nx-etcd-index: 7\r\n");
      else if (fate === undefined) socket.write(answerTo(bytes.toString()));
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get asked() {
      return asked;
    },
    forget(fate: Fate) {
      for (const socket of fates.keys()) fates.set(socket, fate);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of fates.keys()) socket.destroy();
      await once(server.close(), "close");
    },
  };
}

function answerTo(request: string): string {
  const isHealthCheck = request.startsWith("GET /health ");
  const body = isHealthCheck ? HEALTHY : request.startsWith("GET") ? GOOD_GET : GOOD_SET;
  const fields = Object.entries(ETCD_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 200 OK\r\n${fields.join("")}content-length: ${body.length}\r\n\r\n${body}`;
}

/** Opens this number of connections, which become idle. */
const warmUp = (etcd: EtcdClient, count: number) =>
  Promise.all(Array.from({ length: count }, () => etcd.getNode("/a")));

test.each(["reset", "close"] as const)(
  "a read on a connection that gets a %s is retried once",
  async (fate) => {
    await using server = await startForgetful();
    await using etcd = new EtcdClient({ urls: [server.url] });
    for (let round = 0; round < 3; round++) {
      await warmUp(etcd, 5);
      server.forget(fate);
      const { asked, connections } = server;
      expect((await etcd.getNode("/a")).node.value).toBe("1");
      expect(server.asked - asked).toBe(2);
      expect(server.connections - connections).toBe(1);
    }
  },
);

test("a health check on a connection that is reset is retried once", async () => {
  await using server = await startForgetful();
  await using etcd = new EtcdClient({ urls: [server.url] });
  await warmUp(etcd, 5);
  server.forget("reset");
  expect(await etcd.health()).toEqual([{ endpoint: server.url, healthy: true }]);
});

test("a write is not repeated, and the other idle connections are not used any more", async () => {
  for (const fate of ["reset", "swallow"] as const) {
    await using server = await startForgetful();
    await using etcd = new EtcdClient({ urls: [server.url], writeTimeout: 200 });
    await warmUp(etcd, 20);
    server.forget(fate);
    const { asked } = server;
    await expect(etcd.setNode("/a", "1")).rejects.toThrow(OutcomeUnknownError);
    expect(server.asked - asked).toBe(1);
    expect((await etcd.setNode("/a", "1")).action).toBe("set");
  }
});

test("a read is not retried if a response has begun, or on a new connection", async () => {
  await using server = await startForgetful();
  await using etcd = new EtcdClient({ urls: [server.url] });
  await warmUp(etcd, 1);
  server.forget("half an answer");
  const { asked } = server;
  await expect(etcd.getNode("/a")).rejects.toThrow();
  expect(server.asked - asked).toBe(1);
});
