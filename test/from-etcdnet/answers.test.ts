/** EtcdNet's answers, nodes and actions, field by field, as a real etcd fills them. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, type EtcdNode, type EtcdResponse, expirationTime } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { tableFrom, testRows } from "./guide.js";

describeWithEtcd("3.4", "an answer", () => {
  let cluster: EtcdCluster;
  let etcd: EtcdClient;
  let answer: EtcdResponse;
  let directory: EtcdNode;
  let child: EtcdNode;
  const actions = new Set<string>();

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    etcd = new EtcdClient({ urls: cluster.urls });
    const { etcdIndex } = await etcd.createNode("/d", null, { dir: true, ttl: 60 });
    await etcd.setNode("/d/a", "1");
    await etcd.updateNode("/d/a", "2");
    answer = await etcd.compareAndSwapNode("/d/a", { prevValue: "2" }, "3");
    directory = (await etcd.getNode("/d")).node;
    [child = directory] = directory.nodes ?? [];
    const { action } = await etcd.getNode("/d/a");
    actions.add(action);
    await etcd.compareAndDeleteNode("/d/a", { prevValue: "3" });
    await etcd.setNode("/d/a", "4", { ttl: 0 });
    let last = await etcd.watchNode("/d", { recursive: true, waitIndex: etcdIndex });
    for (let seen = false; !seen; seen = actions.has("expire")) {
      actions.add(last.action);
      const waitIndex = last.node.modifiedIndex + 1;
      last = await etcd.watchNode("/d", { recursive: true, waitIndex });
      actions.add(last.action);
    }
    actions.add((await etcd.deleteNode("/d", { recursive: true })).action);
  });
  afterAll(async () => {
    await etcd.close();
    await cluster.stop();
  });

  testRows("Action", {
    action: () => expect(answer.action).toBe("compareAndSwap"),
    node: () => expect(answer.node).toMatchObject({ key: "/d/a", value: "3" }),
    prevNode: () => expect(answer.prevNode).toMatchObject({ key: "/d/a", value: "2" }),
    etcdServer: () => expect(answer.etcdServer).toBe(cluster.urls[0]),
    etcdClusterId: () => expect(answer.etcdClusterId).toMatch(/^[\da-f]{1,16}$/),
    etcdIndex: () => expect(answer.etcdIndex).toBe(answer.node.modifiedIndex),
    raftIndex: () => expect(answer.raftIndex).toBeGreaterThan(0),
    raftTerm: () => expect(answer.raftTerm).toBeGreaterThan(0),
  });

  test("has one of the actions that are listed, or update", () => {
    const listed = tableFrom("ACTION_GET").map(({ ours }) => ours.replaceAll('"', ""));
    expect([...actions].sort()).toEqual([...listed, "update"].sort());
  });

  testRows("Key", {
    key: async () => {
      expect(child.key).toBe("/d/a");
      const { node: root } = await etcd.getNode("/");
      expect(root).toMatchObject({ key: "/", createdIndex: 0, modifiedIndex: 0 });
    },
    dir: () => {
      expect(directory.dir).toBe(true);
      expect(child).not.toHaveProperty("dir");
    },
    value: () => {
      expect(child.value).toBe("3");
      expect(directory).not.toHaveProperty("value");
    },
    createdIndex: () => expect(child.createdIndex).toBe(directory.createdIndex + 1),
    modifiedIndex: () => expect(child.modifiedIndex).toBe(answer.node.modifiedIndex),
    ttl: () => {
      expect(directory.ttl).toBeGreaterThan(0);
      expect(child).not.toHaveProperty("ttl");
    },
    expiration: () => {
      expect(directory.expiration).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
      expect(child).not.toHaveProperty("expiration");
    },
    nodes: () => {
      expect(directory.nodes).toEqual([child]);
      expect(child).not.toHaveProperty("nodes");
    },
    "expirationTime(node)": () => {
      const left = Number(expirationTime(directory)) - Date.now();
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(60_000);
      expect(expirationTime(child)).toBeUndefined();
    },
  });
});
