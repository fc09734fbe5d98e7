import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdClient, migrate, TransferRefusedError } from "../../src/index.js";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { toBase64 } from "../support/base64.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "../v3/v3-tools.js";

type Api = "v2" | "v3";

/** The key prefix of the tree in v3. */
const TREE = "/tree";

/** etcd 3.4 holds both stores in one cluster; gateways serve v2 from its v3 store. */
describeEtcdSideBySide("3.4", "a migration within one cluster of etcd 3.4", () => {
  let etcd: EtcdCluster;
  let gateway: Gateway;
  let another: Gateway;
  let beside: Gateway;
  let tool: V3Tool;
  const clients: EtcdClient[] = [];
  const open = (url: string, api: Api = "v2", keyPrefix = TREE): EtcdClient => {
    const client = new EtcdClient({ urls: [url], api, ...(api === "v3" && { keyPrefix }) });
    clients.push(client);
    return client;
  };
  const server = (): string => etcd.urls[0] ?? "";
  const otherUrl = (): string => server().replace("127.0.0.1", "localhost");

  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.4" });
    const gatewayTo = (keyPrefix: string) =>
      createGateway({ etcd: { urls: etcd.urls, keyPrefix } });
    tool = new V3Tool(etcd.urls);
    gateway = await gatewayTo(TREE);
    another = await gatewayTo(TREE);
    beside = await gatewayTo("/beside");
    for (const api of ["v2", "v3"] as const) {
      await open(server(), api).setNode("/apps/mail/key", api);
      await open(server(), api).setNode("/other", api);
    }
  });
  afterAll(async () => {
    tool?.close();
    for (const client of clients) await client[Symbol.asyncDispose]();
    await beside?.close();
    await another?.close();
    await gateway?.close();
    await etcd?.stop();
  });

  const indexes = async (): Promise<readonly number[]> =>
    await Promise.all(
      (["v2", "v3"] as const).map(async (api) => {
        const { etcdIndex } = await open(server(), api).getNode("/", { quorum: true });
        return etcdIndex;
      }),
    );

  it.each<[string, () => Parameters<typeof migrate>[0]]>([
    ["v2 into itself by another URL", () => ({ from: open(server()), to: open(otherUrl()) })],
    [
      "v3 into a directory of itself by another URL",
      () => ({ from: open(server(), "v3"), to: open(otherUrl(), "v3"), toPrefix: "/backup" }),
    ],
    [
      "a directory of v3 over everything by a gateway",
      () => ({
        from: open(server(), "v3"),
        to: open(gateway.url),
        prefix: "/apps",
        toPrefix: "/",
      }),
    ],
    [
      "a gateway into the v3 keys behind it",
      () => ({ from: open(gateway.url), to: open(server(), "v3"), toPrefix: "/backup" }),
    ],
    [
      "v3 into a namespace of itself by a gateway",
      () => ({ from: open(server(), "v3"), to: open(gateway.url).namespace("/apps") }),
    ],
    [
      "one gateway into another",
      () => ({ from: open(another.url), to: open(gateway.url), toPrefix: "/apps/copy" }),
    ],
  ])("refuses %s, and writes nothing", async (_name, options) => {
    const before = await indexes();
    const refused = migrate({ overwrite: true, ...options() });
    await expect(refused).rejects.toThrow(TransferRefusedError);
    await expect(refused).rejects.toThrow(/the source \(.*http.*\) and the target \(.*http.*\)/);
    expect(await indexes()).toEqual(before);
  });

  it.each<[string, () => Parameters<typeof migrate>[0], string, string]>([
    [
      "v2 into v3",
      () => ({ from: open(server()), to: open(server(), "v3", "/from-v2") }),
      "/from-v2/apps/mail/key",
      "v2",
    ],
    [
      "v2 into v3 by a gateway",
      () => ({ from: open(server()), to: open(gateway.url), toPrefix: "/by-gateway" }),
      `${TREE}/by-gateway/apps/mail/key`,
      "v2",
    ],
    [
      "one tree to another beside it",
      () => ({ from: open(gateway.url), to: open(beside.url), prefix: "/apps", toPrefix: "/x" }),
      "/beside/x/mail/key",
      "v3",
    ],
  ])("copies %s", async (_name, options, key, value) => {
    await migrate(options());
    const { kvs } = await tool.ask("kv/range", { key: toBase64(key) });
    expect(kvs).toMatchObject([{ value: toBase64(value) }]);
  });
});
