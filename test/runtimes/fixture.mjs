// @ts-check
// Tests with the fixture of etcdnet/testing, for the runner of node:test: Node's own, Bun's and Deno's.
import assert from "node:assert/strict";
import * as hooks from "node:test";
import { etcdFixture, ManualClock } from "etcdnet/testing";

const { describe, test } = hooks;

describe("on a server", () => {
  const etcd = etcdFixture(hooks);

  test("a test has an empty directory", async () => {
    await etcd.client.createNode("/a", "1");
    assert.equal(
      (await etcd.server.keySpace.execute({ action: "get", key: `${etcd.prefix}/a` })).action,
      "get",
    );
  });

  test("the next test has another", async () => {
    const { node } = await etcd.client.getNode("/");
    assert.equal(node.dir && node.nodes, undefined);
  });
});

describe("with a clock", () => {
  const clock = new ManualClock();
  const etcd = etcdFixture(hooks, { clock });

  test("a TTL ends when the test says so", async () => {
    await etcd.client.setNode("/a", "1", { ttl: 60 });
    await clock.advance(59_000);
    assert.equal(await etcd.client.getNodeValue("/a"), "1");
    await clock.advance(2_000);
    await assert.rejects(etcd.client.getNode("/a"), { name: "KeyNotFoundError" });
  });
});
