import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { startTcpRelay } from "./tcp-relay.js";

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === "::1");

describeWithEtcd("3.4", "an IPv6 endpoint", () => {
  test.skipIf(!hasIpv6)("is written in brackets", async () => {
    await using cluster = await startEtcd({ release: "3.4" });
    await using relay = await startTcpRelay(cluster.urls[0], "::1");
    await using etcd = new EtcdClient({ urls: [relay.url] });
    expect(relay.url).toMatch(/^http:\/\/\[::1\]:\d+$/);

    const watching = etcd.watchNode("/a", { waitIndex: 1 });
    expect(await etcd.setNode("/a", "1")).toMatchObject({ etcdServer: relay.url });
    expect(await watching).toMatchObject({ action: "set" });
    expect(await etcd.health()).toEqual([{ endpoint: relay.url, healthy: true }]);
  });
});
