// @ts-nocheck: the globals of Jest have no types here.
// Runs under Jest in its default configuration, which requires CommonJS.
const { config, EtcdClient, isEtcdError } = require("etcdnet");
const { startEmbeddedEtcd } = require("etcdnet/server");
const { etcdFixture } = require("etcdnet/testing");

let server;
let etcd;
beforeAll(async () => {
  server = await startEmbeddedEtcd();
  etcd = new EtcdClient({ endpoints: server.url });
});
afterAll(async () => {
  await etcd.close();
  await server.close();
});

test("the client and the embedded server work", async () => {
  await etcd.setNode("/a", "1");
  await expect(etcd.getNodeValue("/a")).resolves.toBe("1");
});

test("errors are recognized", async () => {
  const error = await etcd.getNode("/missing").catch((reason) => reason);
  expect(isEtcdError(error, "KeyNotFound")).toBe(true);
});

describe("with the fixture, and the globals of Jest", () => {
  const etcd = etcdFixture();

  test.each([1, 2])("a test has an empty directory, %s", async () => {
    await etcd.client.createNode("/a", "1");
  });
});

// Jest also replaces `process.nextTick` and `queueMicrotask`, which Vitest leaves as they are.
describe("under Jest's fake timers", () => {
  beforeAll(() => jest.useFakeTimers());
  afterAll(() => jest.useRealTimers());

  test("a new server and a new client respond and close", async () => {
    const fresh = await startEmbeddedEtcd();
    const client = new EtcdClient({ endpoints: fresh.url });
    const values = Array.from({ length: 10 }, (_, number) => `${number}`);
    await Promise.all(values.map((value) => client.setNode("/a", value)));
    await client.close();
    await fresh.close();
  });

  test("a watch delivers a change, and an aborted call rejects", async () => {
    const watcher = etcd.watch("/watched");
    const change = watcher.next();
    await etcd.setNode("/watched", "1");
    expect((await change).value.type).toBe("change");
    watcher.close();
    const controller = new AbortController();
    const waiting = etcd.watchNode("/never", { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toThrow("aborted");
  });

  test("a key that is kept alive emits its loss", async () => {
    const kept = await etcd.keepAlive("/kept", "mine", { ttl: 1 });
    const lost = new Promise((resolve) => kept.on("lost", resolve));
    await etcd.setNode("/kept", "taken");
    expect((await lost).reason).toBe("taken-over");
    await kept.close();
  });

  test("settings follow a mirror", async () => {
    await etcd.setNode("/settings/port", "1");
    const mirror = etcd.mirror("/settings");
    const schema = {
      "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
    };
    const settings = config(mirror, schema);
    expect(await settings.ready).toEqual({ port: "1" });
    const changed = new Promise((resolve) => settings.on("change", resolve));
    await etcd.setNode("/settings/port", "2");
    expect((await changed).current).toEqual({ port: "2" });
    settings.close();
    await mirror.close();
  });
});

test("fake timers that are installed before the package is loaded do not stop events", async () => {
  jest.useFakeTimers();
  let fresh;
  jest.isolateModules(() => {
    fresh = { ...require("etcdnet"), ...require("etcdnet/server") };
  });
  const keySpace = new fresh.MemoryKeySpace();
  const client = new fresh.EtcdClient({ keySpace });
  const kept = await client.keepAlive("/kept", "mine", { ttl: 1 });
  const lost = new Promise((resolve) => kept.on("lost", resolve));
  await client.setNode("/kept", "taken");
  expect((await lost).reason).toBe("taken-over");
  await client.close();
  jest.useRealTimers();
});
