import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdClient, type EtcdResponse, isEtcdError } from "../../src/index.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "etcdnet-restart-"));
});

afterAll(() => rm(directory, { recursive: true }));

it("a watch of the client survives a restart and misses nothing", async () => {
  const snapshotFile = join(directory, "snapshot");
  const first = await startEmbeddedEtcd({ snapshotFile });
  await using client = new EtcdClient({ urls: [first.url] });
  const { etcdIndex } = await client.setNode("/a", "before");
  const event = watchOn(client, "/a", etcdIndex + 1);
  await expect.poll(() => first.keySpace.stats.watchers).toBe(1);
  await first.close();
  await using second = await startEmbeddedEtcd({
    snapshotFile,
    port: Number(new URL(first.url).port),
  });
  await second.keySpace.execute({ action: "set", key: "/b", value: "another" });
  await second.keySpace.execute({ action: "set", key: "/a", value: "after" });
  expect(await event).toMatchObject({ node: { value: "after" }, prevNode: { value: "before" } });
});

it("the client emits clusterChanged when the server has lost its data", async () => {
  const first = await startEmbeddedEtcd();
  await using client = new EtcdClient({ urls: [first.url] });
  await client.setNode("/a", "1");
  const changed = new Promise((resolve) => client.once("clusterChanged", resolve));
  await first.close();
  await using second = await startEmbeddedEtcd({ port: Number(new URL(first.url).port) });
  // The client's connection to the first server may still appear open.
  await expect.poll(() => client.getNode("/").catch(() => undefined)).toBeDefined();
  expect(await changed).toMatchObject({
    from: first.keySpace.clusterId,
    to: second.keySpace.clusterId,
  });
});

it("the client lists the server as the only member, at its URL", async () => {
  await using etcd = await startEmbeddedEtcd();
  await using client = new EtcdClient({ urls: [etcd.url], autoSync: true });
  expect(await client.machines()).toEqual([etcd.url]);
  expect(await client.members.list()).toMatchObject([{ clientURLs: [etcd.url] }]);
  expect(await client.health()).toMatchObject([{ healthy: true }]);
});

/** Watches a key, and retries while no server listens on the port. */
async function watchOn(client: EtcdClient, key: string, waitIndex: number): Promise<EtcdResponse> {
  for (;;) {
    try {
      return await client.watchNode(key, { waitIndex });
    } catch (error) {
      if (!isEtcdError(error, "ClusterUnavailable")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
