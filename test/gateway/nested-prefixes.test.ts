import { afterEach, beforeEach, expect, it } from "vitest";
import { EtcdClient, type NestedPrefixError } from "../../src/index.js";
import { createGateway } from "../../src/server/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { V3Tool } from "../v3/v3-tools.js";

const refusal = (keyPrefix: string, other: string): Partial<NestedPrefixError> => ({
  ...{ name: "NestedPrefixError", keyPrefix, other },
  message: expect.stringContaining(`"${other}"`),
});

describeWithEtcd("3.7", "key prefixes of one etcd", () => {
  let etcd: EtcdCluster;
  let tool: V3Tool;
  beforeEach(async () => {
    etcd = await startEtcd({ release: "3.7" });
    tool = new V3Tool(etcd.urls);
  });
  afterEach(async () => {
    tool.close();
    await etcd.stop();
  });

  const gateway = (keyPrefix: string) => createGateway({ etcd: { urls: etcd.urls, keyPrefix } });

  it("a gateway does not start above or below another prefix, but starts beside it", async () => {
    await using _inner = await gateway("/apps/team");
    await expect(gateway("")).rejects.toMatchObject(refusal("", "/apps/team"));
    await expect(gateway("/apps")).rejects.toMatchObject(refusal("/apps", "/apps/team"));
    await expect(gateway("/apps/team/x")).rejects.toMatchObject(
      refusal("/apps/team/x", "/apps/team"),
    );
    await using _same = await gateway("/apps/team");
    for (const beside of ["/apps/team2", "/apps/tea", "/tools", "apps"]) {
      await using _beside = await gateway(beside);
    }
  });

  it("if two start at the same time, one is refused", async () => {
    const started = await Promise.allSettled([gateway(""), gateway("/a"), gateway("/a/b")]);
    const served = started.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
    expect(served).toHaveLength(1);
    for (const each of served) await each.close();
  });

  it("a client is refused as well, with any first request", async () => {
    await using apps = new EtcdClient({ urls: etcd.urls, api: "v3", keyPrefix: "/apps" });
    await apps.setNode("/a", "1");
    for (const keyPrefix of ["/", "/apps/a"]) {
      await using client = new EtcdClient({ urls: etcd.urls, api: "v3", keyPrefix });
      const other = refusal(keyPrefix === "/" ? "" : keyPrefix, "/apps");
      await expect(client.getNode("/")).rejects.toMatchObject(other);
      await expect(client.setNode("/b", "1")).rejects.toMatchObject(other);
      await expect(client.watchNode("/b")).rejects.toMatchObject(other);
    }
    await expect(gateway("")).rejects.toMatchObject(refusal("", "/apps"));
  });

  it("a client that only reads creates no record", async () => {
    await using reader = new EtcdClient({ urls: etcd.urls, api: "v3" });
    await reader.getNode("/");
    expect(await tool.keys()).toEqual([]);
    await using _apps = await gateway("/apps");
  });

  it("a prefix is free again when its record is deleted", async () => {
    await (await gateway("/apps")).close();
    await expect(gateway("")).rejects.toThrow(/delete the etcd key etcdnet_trees\/%2Fapps /);
    await tool.del("etcdnet_trees/%2Fapps");
    await using _outer = await gateway("");
  });

  it("a gateway that notices the overlap late responds with the reason", async () => {
    const [member] = etcd.members;
    await (await gateway("/apps")).close();
    await member.kill();
    await using late = await gateway("");
    await member.start();
    const message = /contains the key prefix \\"\/apps\\"/;
    await expect.poll(async () => (await fetch(`${late.url}/v2/keys/`)).text()).toMatch(message);
  });

  it("a damaged index offset is reported, and the gateway starts", async () => {
    for (const damaged of ["garbage", "", " 1", "-1", "1e3", Buffer.of(0xff, 0x31)]) {
      await tool.put("\0etcdnet/offset", damaged);
      await using served = await gateway("");
      const answer = await fetch(`${served.url}/v2/keys/`);
      expect(answer.status).toBe(500);
      const { errorCode, cause } = (await answer.json()) as { errorCode: number; cause: string };
      expect({ errorCode, cause }).toMatchObject({
        errorCode: 300,
        cause: expect.stringContaining('the record "\\u0000etcdnet/offset" is damaged'),
      });
      await tool.put("\0etcdnet/offset", "1000");
      expect((await fetch(`${served.url}/v2/keys/`)).status).toBe(200);
    }
  });
});
