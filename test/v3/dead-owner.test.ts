import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient, type Watcher } from "../../src/index.js";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { RecipeProcess } from "../recipes/recipe-process.js";
import { shortTtl } from "../support/cpu-share.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "./v3-tools.js";

/** Seconds. */
const TTL = shortTtl();
/** Milliseconds. etcd looks for expired leases twice a second; the rest is for busy machines. */
const LATE_AT_MOST = 1_250 * TTL;
/** Value that marks the last event of a watch. */
const LAST = "last";

describeWithEtcd("3.7", "a directory whose owner is killed", () => {
  let etcd: EtcdCluster;
  let gateway: Gateway;
  let v3: EtcdClient;
  let v2: EtcdClient;
  let tool: V3Tool;
  beforeAll(async () => {
    buildIfStale();
    etcd = await startEtcd({ release: "3.7" });
    gateway = await createGateway({ etcd: { urls: etcd.urls } });
    v3 = new EtcdClient({ urls: etcd.urls, api: "v3" });
    v2 = new EtcdClient({ urls: [gateway.url] });
    tool = new V3Tool(etcd.urls);
  });
  afterAll(async () => {
    tool?.close();
    await v2?.close();
    await v3?.close();
    await gateway?.close();
    await etcd?.stop();
  });

  it.concurrent.each(["v3", "v2"] as const)(
    "expires on time with its content, and each watch gets one event: owned by %s",
    async (api) => {
      const [above, key] = [`/${api}`, `/${api}/owned`];
      const from = (await v3.getNode("/", { quorum: true })).etcdIndex + 1;
      const watching = [v3, v2].flatMap((client) => [
        toldUntilLast(client.watch(above, { from, recursive: true })),
        toldUntilLast(client.watch(`${key}/sub`, { from })),
      ]);
      const url = api === "v3" ? etcd.urls[0] : gateway.url;
      await using owner = new RecipeProcess("../v3/directory-owner.mjs", url, api, key, `${TTL}`);
      const { expiration } = await owner.until(({ event }) => event === "filled");
      await owner.kill();
      for (const client of [v3, v2]) {
        expect(await keysIn(client, key)).toEqual(["after", "file", "long", "queue", "sub"]);
      }

      const { etcdIndex } = await v2.getNode(key, { quorum: true });
      await v2.watchNode(key, { waitIndex: etcdIndex + 1 });
      await v2.setNode(`${key}/sub`, LAST);
      for (const told of await Promise.all(watching)) {
        const later = told.filter(({ what }) => !what.startsWith("create "));
        expect(later.map(({ what }) => what)).toEqual([`expire ${key}`, `set ${key}/sub`]);
        const late = (later[0]?.at ?? 0) - Date.parse(`${expiration}`);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThan(LATE_AT_MOST);
      }
      for (const client of [v3, v2]) expect(await keysIn(client, key)).toEqual(["sub"]);
      expect((await tool.keys()).filter((found) => found.includes(key))).toEqual([
        `\0etcdnet/d${key}`,
        `${key}/sub`,
      ]);
    },
  );
});

interface Told {
  readonly what: string;
  /** By the wall clock. */
  readonly at: number;
}

async function toldUntilLast(watcher: Watcher): Promise<readonly Told[]> {
  const told: Told[] = [];
  for await (const item of watcher) {
    if (item.type === "resync") throw new Error(`resync: ${item.reason}`);
    const { action, node } = item.response;
    told.push({ what: `${action} ${node.key}`, at: Date.now() });
    if (node.value === LAST) break;
  }
  return told;
}

async function keysIn(client: EtcdClient, key: string): Promise<readonly string[]> {
  const { node } = await client.getNode(key, { sorted: true });
  return (node.nodes ?? []).map((child) => child.key.slice(`${key}/`.length));
}
