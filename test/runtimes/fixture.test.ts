/** The fixture of etcdnet/testing in Vitest. `runtimes.test.ts` runs it in other runners. */

import * as hooks from "vitest";
import { EtcdClient } from "../../src/index.js";
import { etcdFixture, ManualClock } from "../../src/testing/index.js";

const { describe, expect, test } = hooks;

describe("the fixture", () => {
  const etcd = etcdFixture(hooks);
  const prefixes = new Set<string>();

  test.each([1, 2])("gives each test an empty directory, %s", async () => {
    expect((await etcd.client.getNode("/")).node).not.toHaveProperty("nodes");
    await etcd.client.createNode("/a", "1");
    prefixes.add(etcd.prefix);
  });

  test("serves that directory to other clients", async () => {
    expect(prefixes.size).toBe(2);
    await using other = new EtcdClient({ endpoints: etcd.server.url });
    for (const prefix of prefixes) expect(await other.getNodeValue(`${prefix}/a`)).toBe("1");
  });

  let ended: Promise<string>;
  test("lets a test leave a watch open", () => {
    const read = etcd.client.watch("/a").next();
    ended = read.then(
      () => "item",
      (error) => error.name,
    );
  });

  test("ends what the test before has left open", async () => {
    expect(await ended).toBe("AbortError");
  });

  test("gives tests that run at the same time a client each", async () => {
    const clients = await Promise.all([etcd.newClient(), etcd.newClient()]);
    await Promise.all(clients.map((client) => client.createNode("/a", "1")));
  });
});

describe("the fixture with a clock", () => {
  const clock = new ManualClock();
  const etcd = etcdFixture(hooks, { clock });

  test("keeps a key alive while the clock is advanced, and not after", async () => {
    const kept = await etcd.client.keepAlive("/kept", "mine", { ttl: 10 });
    await clock.advance(3_600_000);
    expect(await etcd.client.getNodeValue("/kept")).toBe("mine");
    await kept.close();
    await expect(etcd.client.getNode("/kept")).rejects.toThrow("Key not found");
  });

  test("leaves no timer to the next test but that of the server", () => {
    expect(clock.pending).toBeLessThanOrEqual(1);
  });
});

describe("a wrong use of the fixture", () => {
  test("without hooks names the one that is missing", () => {
    expect(() => etcdFixture({})).toThrow("hooks: has no beforeAll");
  });

  test("outside of a test says when the client is there", () => {
    const etcd = etcdFixture({ before() {}, beforeEach() {}, afterEach() {}, after() {} });
    expect(() => etcd.client).toThrow("only while tests run");
  });
});

test("a manual clock calls timers in order, also those that are set meanwhile", async () => {
  const clock = new ManualClock();
  const start = clock.now();
  const calls: [string, number][] = [];
  const call = (name: string) => () => calls.push([name, clock.now() - start]);
  clock.after(30, call("c"));
  clock.after(10, () => {
    call("a")();
    clock.after(10, call("b"));
  });
  clock.after(20, call("never"))();
  clock.after(41, call("later"));
  await clock.advance(40);
  expect(calls).toEqual([
    ["a", 10],
    ["b", 20],
    ["c", 30],
  ]);
  expect([clock.monotonic() - start, clock.pending]).toEqual([40, 1]);
});
