import { expect } from "vitest";
import type { EtcdctlRunner } from "./etcdctl.js";
import { directoryOf } from "./migrated-tree.js";
import { answer, type Body, type NodeEtcd, refusal } from "./node-etcd.js";

/** What `go/migrated_test.go` and `python/migrated_test.py` do, with etcdctl. */
export async function useEtcdctl(etcdctl: EtcdctlRunner): Promise<void> {
  const directory = directoryOf("etcdctl");
  const config = `${directory}/config`;
  const indexOf = async (key: string): Promise<number> =>
    JSON.parse(await etcdctl.print("-o", "json", "get", key)).node.modifiedIndex;

  const { child, ended } = etcdctl.start("watch", config);
  while (child.exitCode === null) await etcdctl.print("set", config, "set");
  expect(await ended).toEqual({ code: 0, stdout: "set\n", stderr: "" });

  const index = await indexOf(config);
  await etcdctl.print("set", "--swap-with-value", "set", config, "swapped");
  const [code] = await etcdctl.refusal("set", "--swap-with-value", "set", config, "too late");
  expect(code).toBe(4);
  expect(await etcdctl.print("watch", "--after-index", `${index}`, config)).toBe("swapped\n");

  const list = `${directory}/list`;
  expect(await etcdctl.print("ls", "--sort", list)).toBe(`${list}/a\n${list}/b\n${list}/c\n`);
  await etcdctl.print("rm", `${list}/b`);
  await etcdctl.print("rm", "--recursive", list);
  expect((await etcdctl.refusal("get", `${list}/a`))[0]).toBe(4);

  await etcdctl.print("mk", "--in-order", `${directory}/queue`, "second");
  const [first, second] = (await etcdctl.print("ls", "--sort", `${directory}/queue`)).split("\n");
  expect(await etcdctl.print("get", first ?? "")).toBe("first\n");
  expect(await etcdctl.print("get", second ?? "")).toBe("second\n");

  const lease = `${directory}/lease`;
  const shown = await etcdctl.print("-o", "extended", "get", lease);
  expect(Number(/^TTL: (\d+)$/m.exec(shown)?.[1])).toBeGreaterThan(3000);
  await etcdctl.print("update", "--ttl", "2", lease, "short");
  const expiry = ["watch", "--after-index", `${await indexOf(lease)}`, lease];
  expect(JSON.parse(await etcdctl.print("-o", "json", ...expiry)).action).toBe("expire");
}

/** The same, with node-etcd. */
export async function useNodeEtcd(etcd: NodeEtcd): Promise<void> {
  const directory = directoryOf("node");
  const config = `${directory}/config`;

  let event: Body;
  const watch = answer((done) => etcd.watch(config, done)).then(({ body }) => {
    event = body;
  });
  while (event === undefined) await answer((done) => etcd.set(config, "set", done));
  await watch;
  expect(event.node.value).toBe("set");

  const { body } = await answer((done) => etcd.get(config, { quorum: true }, done));
  const swapped = await answer((done) => etcd.compareAndSwap(config, "swapped", "set", done));
  const late = await refusal((done) => etcd.compareAndSwap(config, "too late", "set", done));
  expect(late).toMatchObject({ errorCode: 101 });
  const past = await answer((done) => etcd.watchIndex(config, body.node.modifiedIndex + 1, done));
  expect(past.body.node).toEqual(swapped.body.node);

  const list = `${directory}/list`;
  const listing = await answer((done) => etcd.get(list, { sorted: true }, done));
  expect(listing.body.node.nodes.map(({ value }: Body) => value)).toEqual(["a", "b", "c"]);
  expect((await answer((done) => etcd.del(`${list}/b`, done))).body.prevNode.value).toBe("b");
  await answer((done) => etcd.rmdir(list, { recursive: true }, done));
  const gone = await refusal((done) => etcd.get(`${list}/a`, done));
  expect(gone).toMatchObject({ errorCode: 100 });

  const queue = `${directory}/queue`;
  await answer((done) => etcd.create(queue, "second", done));
  const items = await answer((done) => etcd.get(queue, { sorted: true }, done));
  expect(items.body.node.nodes.map(({ value }: Body) => value)).toEqual(["first", "second"]);

  const lease = `${directory}/lease`;
  const held = await answer((done) => etcd.get(lease, done));
  expect(held.body.node.ttl).toBeGreaterThan(3000);
  const refresh = { ttl: 2, refresh: true, prevExist: true };
  const refreshed = await answer((done) => etcd.raw("PUT", `v2/keys${lease}`, null, refresh, done));
  const { modifiedIndex } = refreshed.body.node;
  const expired = await answer((done) => etcd.watchIndex(lease, modifiedIndex + 1, done));
  expect(expired.body.action).toBe("expire");
}
