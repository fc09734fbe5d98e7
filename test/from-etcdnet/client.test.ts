/** EtcdNet's client, method by method, on a real etcd. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { EtcdClient, KeyNotFoundError, NodeExistError, TestFailedError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { guide, testRows } from "./guide.js";

const NAMES_OF_ETCDNET =
  `EtcdClient EtcdClientOpitions EtcdResponse EtcdNode ErrorCode ErrorResponse
  IJsonDeserializer Deserialize GetNodeAsync GetNodeValueAsync SetNodeAsync DeleteNodeAsync
  CreateInOrderNodeAsync CreateNodeAsync CompareAndSwapNodeAsync CompareAndDeleteNodeAsync
  WatchNodeAsync ClusterID LastIndex Urls IgnoreCertificateError X509Certificate Username Password
  UseProxy JsonDeserializer ACTION_CREATE ACTION_DELETE ACTION_SET ACTION_GET ACTION_EXPIRE
  ACTION_COMPARE_AND_SWAP ACTION_COMPARE_AND_DELETE Action Node PrevNode EtcdServer EtcdClusterID
  EtcdIndex RaftIndex RaftTerm Key IsDirectory Value CreatedIndex ModifiedIndex TTL Expiration Nodes
  GetExpirationTime EtcdGenericException EtcdCommonException KeyNotFound TestFailed NotFile NotDir
  NodeExist RootReadOnly DirNotEmpty EtcdPostFormException PrevValueRequired TTLNaN IndexNaN
  InvalidField InvalidForm EtcdRaftException Internal LeaderElect EtcdException WatcherCleared
  EventIndexCleared Code Cause Message Index`.split(/\s+/);

test("no public name of EtcdNet is left out", () => {
  const isMissing = (name: string): boolean => !new RegExp(`\`[^\`]*\\b${name}\\b`).test(guide);
  expect(NAMES_OF_ETCDNET.filter(isMissing)).toEqual([]);
});

describeWithEtcd("3.4", "the client", () => {
  let cluster: EtcdCluster;
  let client: EtcdClient;
  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.4" });
    client = new EtcdClient({ urls: cluster.urls });
  });
  afterAll(async () => {
    await client.close();
    await cluster.stop();
  });

  /** Runs a check on a namespace of its own, whose client has seen no answer yet. */
  const on = (check: (etcd: EtcdClient) => Promise<void>) => (row: number) =>
    check(client.namespace(`/row-${row}`));

  testRows("new EtcdClient", {
    "new EtcdClient(options)": on(async (etcd) => {
      const keys = Array.from({ length: 20 }, (_, index) => `/${index}`);
      await Promise.all(keys.map((key) => etcd.setNode(key, key)));
      const values = await Promise.all(keys.map((key) => etcd.getNodeValue(key)));
      expect(values).toEqual(keys);
    }),
    "getNode(key, { ignoreKeyNotFound, recursive, sorted })": on(async (etcd) => {
      for (const key of ["/b", "/a/y", "/a/x"]) await etcd.setNode(key, "1");
      const { node } = await etcd.getNode("/", { recursive: true, sorted: true, quorum: true });
      expect(node.nodes).toMatchObject([
        { key: "/a", nodes: [{ key: "/a/x" }, { key: "/a/y" }] },
        { key: "/b" },
      ]);
      expect(await etcd.getNode("/c", { ignoreKeyNotFound: true })).toBeNull();
      await expect(etcd.getNode("/c")).rejects.toBeInstanceOf(KeyNotFoundError);
    }),
    "getNodeValue(key, { ignoreKeyNotFound })": on(async (etcd) => {
      await etcd.setNode("/a/b", "1");
      expect(await etcd.getNodeValue("/a/b")).toBe("1");
      await expect(etcd.getNodeValue("/a")).rejects.toMatchObject({
        ...{ name: "NotFileError", errorCode: 102, status: 403, key: "/a", detail: "/a" },
        message: expect.stringMatching(
          /^GET \/a at .*: Not a file \(\/a\) \[etcd error 102\]; it is a directory: getNode lists it$/,
        ),
      });
      expect(await etcd.getNodeValue("/a", { ignoreKeyNotFound: true })).toBeNull();
      expect(await etcd.getNodeValue("/c", { ignoreKeyNotFound: true })).toBeNull();
    }),
    "setNode(key, value, { ttl })": on(async (etcd) => {
      expect(await etcd.setNode("/a", "1", { ttl: 60 })).toMatchObject({
        action: "set",
        node: { value: "1", ttl: 60 },
      });
    }),
    "setNode(key, null, { dir: true, ttl })": on(async (etcd) => {
      const made = await etcd.setNode("/d", null, { dir: true, ttl: 60 });
      expect(made.node).toMatchObject({ dir: true, ttl: 60 });
      // @ts-expect-error a value for a directory
      await expect(etcd.setNode("/d", "1", { dir: true })).rejects.toThrow(TypeError);
      // @ts-expect-error a file without a value
      await expect(etcd.setNode("/f", null)).rejects.toThrow(TypeError);
    }),
    "createNode(key, value, { ttl })": on(async (etcd) => {
      const made = await etcd.createNode("/a", "1", { ttl: 60 });
      expect(made).toMatchObject({ action: "create", node: { value: "1", ttl: 60 } });
      await expect(etcd.createNode("/a", "2")).rejects.toBeInstanceOf(NodeExistError);
    }),
    "createNode(key, null, { dir: true, ttl })": on(async (etcd) => {
      const made = await etcd.createNode("/d", null, { dir: true, ttl: 60 });
      expect(made).toMatchObject({ action: "create", node: { dir: true, ttl: 60 } });
    }),
    "createInOrderNode(key, value, { ttl })": on(async (etcd) => {
      const first = await etcd.createInOrderNode("/q", "1", { ttl: 60 });
      const second = await etcd.createInOrderNode("/q", "2");
      expect(first.node).toMatchObject({ value: "1", ttl: 60 });
      expect([second.node.key, first.node.key].sort()).toEqual([first.node.key, second.node.key]);
    }),
    "createInOrderNode(key, null, { dir: true, ttl })": on(async (etcd) => {
      const { node } = await etcd.createInOrderNode("/q", null, { dir: true, ttl: 60 });
      expect(node).toMatchObject({ dir: true, ttl: 60, key: expect.stringMatching(/^\/q\/\d+$/) });
    }),
    "deleteNode(key, { ignoreKeyNotFound, dir })": on(async (etcd) => {
      await etcd.setNode("/d/e/f", "1");
      await etcd.deleteNode("/d/e/f");
      await etcd.deleteNode("/d/e", { dir: true });
      await etcd.deleteNode("/d", { recursive: true });
      expect(await etcd.deleteNode("/d", { ignoreKeyNotFound: true })).toBeNull();
      await expect(etcd.deleteNode("/d")).rejects.toBeInstanceOf(KeyNotFoundError);
    }),
    "compareAndSwapNode(key, { prevValue }, value, { ttl })": on(async (etcd) => {
      const { etcdIndex: prevIndex } = await etcd.setNode("/a", "1");
      const both = { prevValue: "1", prevIndex };
      const swapped = await etcd.compareAndSwapNode("/a", both, "2", { ttl: 60 });
      expect(swapped.node).toMatchObject({ value: "2", ttl: 60 });
      const late = etcd.compareAndSwapNode("/a", { prevValue: "1" }, "3");
      await expect(late).rejects.toBeInstanceOf(TestFailedError);
    }),
    "compareAndSwapNode(key, { prevIndex }, value, { ttl })": on(async (etcd) => {
      const { etcdIndex: prevIndex } = await etcd.setNode("/a", "1");
      const swapped = await etcd.compareAndSwapNode("/a", { prevIndex }, "2", { ttl: 60 });
      expect(swapped.node).toMatchObject({ value: "2", ttl: 60 });
      const late = etcd.compareAndSwapNode("/a", { prevIndex }, "3");
      await expect(late).rejects.toBeInstanceOf(TestFailedError);
    }),
    "compareAndDeleteNode(key, { prevValue })": on(async (etcd) => {
      await etcd.setNode("/a", "1");
      const wrong = etcd.compareAndDeleteNode("/a", { prevValue: "2" });
      await expect(wrong).rejects.toBeInstanceOf(TestFailedError);
      expect(await etcd.compareAndDeleteNode("/a", { prevValue: "1" })).toMatchObject({
        action: "compareAndDelete",
        prevNode: { value: "1" },
      });
    }),
    "compareAndDeleteNode(key, { prevIndex })": on(async (etcd) => {
      const { etcdIndex: prevIndex } = await etcd.setNode("/a", "1");
      const wrong = etcd.compareAndDeleteNode("/a", { prevIndex: prevIndex + 1 });
      await expect(wrong).rejects.toBeInstanceOf(TestFailedError);
      const deleted = await etcd.compareAndDeleteNode("/a", { prevIndex });
      expect(deleted.action).toBe("compareAndDelete");
    }),
    "watchNode(key, { recursive, waitIndex })": on(async (etcd) => {
      const { etcdIndex: waitIndex } = await etcd.setNode("/d/a", "1");
      await etcd.setNode("/d/a", "2");
      const event = await etcd.watchNode("/d", { recursive: true, waitIndex });
      expect(event).toMatchObject({ action: "set", node: { key: "/d/a", value: "1" } });
    }),
    clusterId: on(async (etcd) => {
      expect(etcd.clusterId).toBeUndefined();
      const { etcdClusterId } = await etcd.setNode("/a", "1");
      expect(etcd.clusterId).toBe(etcdClusterId);
    }),
    lastIndex: on(async (etcd) => {
      expect(etcd.lastIndex).toBe(0);
      const { node } = await etcd.setNode("/a", "1");
      expect(etcd.lastIndex).toBe(node.modifiedIndex);
    }),
  });
});
