import { getActiveResourcesInfo } from "node:process";
import { expect, it } from "vitest";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { SimulatedClock } from "../support/simulated-clock.js";
import { get, RawClient } from "./raw-client.js";

it("starts within milliseconds, on a free port of the loopback address", async () => {
  await using _warmUp = await startEmbeddedEtcd();
  const begun = performance.now();
  await using etcd = await startEmbeddedEtcd();
  expect(performance.now() - begun).toBeLessThan(250);
  expect(etcd.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
});

it("serves the keys that its key space holds", async () => {
  await using etcd = await startEmbeddedEtcd();
  const { etcdClusterId } = await etcd.keySpace.execute({ action: "set", key: "/a", value: "1" });
  const response = await fetch(`${etcd.url}/v2/keys/a`);
  expect(await response.json()).toMatchObject({ action: "get", node: { key: "/a", value: "1" } });
  expect(response.headers.get("x-etcd-cluster-id")).toBe(etcdClusterId);
});

it("has a new cluster id at every start without data", async () => {
  await using one = await startEmbeddedEtcd();
  await using other = await startEmbeddedEtcd();
  expect(one.keySpace.clusterId).not.toBe(other.keySpace.clusterId);
});

it.each([false, true])(
  "ends watches with an empty body when it closes, stream=%s",
  async (stream) => {
    await using etcd = await startEmbeddedEtcd();
    using watch = new RawClient(etcd.url).send(get(`/v2/keys/a?wait=true&stream=${stream}`));
    await watch.got(/\r\n\r\n/);
    await etcd.close();
    expect(await watch.ended()).toMatch(/^HTTP\/1.1 200 OK[\s\S]*\r\n\r\n0\r\n\r\n$/);
  },
);

it("frees its port and leaves nothing open", async () => {
  const before = getActiveResourcesInfo().filter(isOfServers).length;
  const etcd = await startEmbeddedEtcd();
  await etcd.keySpace.execute({ action: "set", key: "/a", value: "1", ttl: 100 });
  await (await fetch(`${etcd.url}/v2/keys/a`)).text();
  using silent = new RawClient(etcd.url);
  using halfWay = new RawClient(etcd.url).send("GET /v2/keys/a HTTP/1.1\r\nHost:");
  await Promise.all([silent, halfWay].map(({ socket }) => connected(socket)));
  await etcd.close();
  await Promise.all([silent.ended(), halfWay.ended()]);
  silent.socket.destroy();
  halfWay.socket.destroy();
  await expect
    .poll(() => getActiveResourcesInfo().filter(isOfServers).length)
    .toBeLessThanOrEqual(before);
  const { port } = new URL(etcd.url);
  await using _again = await startEmbeddedEtcd({ port: Number(port) });
});

it("waits for clients that are still sending, up to closeTimeout", async () => {
  await using etcd = await startEmbeddedEtcd({ limits: { closeTimeout: 100 } });
  const form = "Content-Type: application/x-www-form-urlencoded";
  using upload = new RawClient(etcd.url);
  upload.send(
    `PUT /v2/keys/a HTTP/1.1\r\nHost: localhost\r\n${form}\r\nContent-Length: 9\r\n\r\nvalue=`,
  );
  // The server handles this request after the upload, so the upload has begun when the response arrives.
  await fetch(`${etcd.url}/version`);
  const begun = performance.now();
  await etcd.close();
  expect(performance.now() - begun).toBeGreaterThan(90);
  expect(await upload.ended()).toBe("");
});

it("can be closed twice", async () => {
  const etcd = await startEmbeddedEtcd();
  await Promise.all([etcd.close(), etcd.close()]);
  await etcd.close();
});

it("leaves nothing open when the port is in use", async () => {
  const clock = new SimulatedClock();
  await using etcd = await startEmbeddedEtcd();
  const port = Number(new URL(etcd.url).port);
  await expect(startEmbeddedEtcd({ port, clock, rootPassword: "pw" })).rejects.toThrow(
    `address already in use 127.0.0.1:${port}`,
  );
  expect(clock.pending).toBe(0);
});

it("measures TTLs with the given clock", async () => {
  const clock = new SimulatedClock();
  await using etcd = await startEmbeddedEtcd({ clock });
  const body = new URLSearchParams({ value: "1", ttl: "60" });
  await fetch(`${etcd.url}/v2/keys/a`, { method: "PUT", body });
  const watch = fetch(`${etcd.url}/v2/keys/a?wait=true`);
  await watch;
  clock.advance(59_000);
  expect(await (await fetch(`${etcd.url}/v2/keys/a`)).json()).toMatchObject({ node: { ttl: 1 } });
  clock.advance(2_000);
  expect(await (await watch).json()).toMatchObject({ action: "expire", node: { key: "/a" } });
});

function isOfServers(resource: string): boolean {
  return resource === "TCPServerWrap" || resource === "Timeout";
}

async function connected(socket: RawClient["socket"]): Promise<void> {
  if (socket.connecting) await new Promise((resolve) => socket.once("connect", resolve));
}
