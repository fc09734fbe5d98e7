import { expect, test } from "vitest";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { EtcdClient } from "./etcd-client.js";

const CLIENTS = [
  ["a client", (etcd: EtcdClient) => etcd, ""],
  ["a namespaced client", (etcd: EtcdClient) => etcd.namespace("/inner"), "/inner"],
] as const;

test.each(CLIENTS)("%s creates recipes", async (_, clientOf, prefix) => {
  await using root = new EtcdClient({ keySpace: new MemoryKeySpace() });
  const etcd = clientOf(root);
  const children = async (key: string): Promise<readonly string[]> => {
    const { node } = await root.getNode(`${prefix}${key}`);
    return (node.nodes ?? []).map((child) => child.key);
  };

  await using lock = await etcd.lock("/lock", { ttl: 5 }).acquire();
  expect(await children("/lock")).toEqual([prefix + lock.key]);

  const election = etcd.election("/election", { ttl: 5 });
  await using leadership = await election.campaign("me");
  expect(await election.leader()).toMatchObject({ key: leadership.key, value: "me" });
  expect(await children("/election")).toEqual([prefix + leadership.key]);

  await using queue = etcd.queue("/queue", { visibilityTimeout: 5 });
  const key = await queue.enqueue("item");
  expect(await children("/queue")).toEqual([prefix + key]);

  const registry = etcd.registry("/services", { parse: (metadata) => Number(metadata) });
  await using registration = await registry.register("mail", { id: "m1", metadata: 25 });
  expect(await registry.discover("mail")).toEqual([{ id: "m1", metadata: 25 }]);
  expect(await children("/services/mail")).toEqual([prefix + registration.key]);

  await using mirror = etcd.mirror("/queue", { bufferSize: 10 });
  await mirror.ready;
  expect(mirror.value(key)).toBe("item");
});

test("recipes check their options", async () => {
  await using etcd = new EtcdClient({ keySpace: new MemoryKeySpace() });
  for (const name of ["lock", "election", "queue", "registry", "mirror"] as const) {
    expect(() => etcd[name]("key")).toThrow(/^key: /);
    expect(() => etcd[name]("/key", JSON.parse('{"bogus":1}'))).toThrow(/^bogus: /);
  }
});
