import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterUnavailableError, EtcdClient, V2DisabledError } from "../../src/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";

const CALLS: Readonly<Record<string, (etcd: EtcdClient) => Promise<unknown>>> = {
  "a read": (etcd) => etcd.getNode("/"),
  "a quorum read": (etcd) => etcd.getNode("/", { quorum: true }),
  "a write": (etcd) => etcd.setNode("/file", "x"),
  "a watch": (etcd) => etcd.watchNode("/file", { waitIndex: 1 }),
  "a list of members": (etcd) => etcd.members.list(),
};

describeWithEtcd("3.4", "members of which not all serve v2", () => {
  let without: EtcdCluster;
  let serving: EtcdCluster;

  beforeAll(async () => {
    [without, serving] = await Promise.all([
      startEtcd({ release: "3.4", v2: false }),
      startEtcd({ release: "3.4" }),
    ]);
  });

  afterAll(async () => {
    await without?.stop();
    await serving?.stop();
  });

  test("the members that serve v2 respond to everything, and a write reaches one of them once", async () => {
    // The first endpoint is random, so some of these clients start with the wrong one.
    await using wrong = await FaultProxy.before(without.urls[0] ?? "");
    for (let round = 1; wrong.requests.length < 3; round++) {
      await using etcd = new EtcdClient({ urls: [wrong.url, ...serving.urls] });
      await etcd.createInOrderNode("/queue", String(round));
      const { node } = await etcd.getNode("/queue", { sorted: true });
      expect(node.nodes?.map(({ value }) => Number(value))).toEqual(
        Array.from({ length: round }, (_, index) => index + 1),
      );
    }
  });

  test.each(Object.entries(CALLS))(
    "if no member serves v2, the error of %s says so",
    async (_name, call) => {
      await using wrong = await FaultProxy.before(without.urls[0] ?? "");
      await using etcd = new EtcdClient({ urls: [wrong.url, ...without.urls] });
      const failure = call(etcd);
      await expect(failure).rejects.toThrow(V2DisabledError);
      await expect(failure).rejects.toThrow(wrong.url);
      await expect(failure).rejects.toThrow(without.urls[0]);
      await expect(failure).rejects.toThrow("--enable-v2");
    },
  );

  test("one member without v2 and one that is down: not V2DisabledError", async () => {
    await using gone = await FaultProxy.before(serving.urls[0] ?? "");
    await gone.become("refuse");
    await using etcd = new EtcdClient({ urls: [gone.url, ...without.urls] });
    await expect(etcd.setNode("/file", "x")).rejects.toThrow(ClusterUnavailableError);
  });
});

describeWithEtcd("3.6", "etcd without a v2 API", () => {
  let cluster: EtcdCluster;

  beforeAll(async () => {
    cluster = await startEtcd({ release: "3.6" });
  });

  afterAll(() => cluster?.stop());

  test.each(Object.entries(CALLS))("the error of %s says so", async (_name, call) => {
    await using etcd = new EtcdClient({ urls: cluster.urls });
    await expect(call(etcd)).rejects.toThrow(V2DisabledError);
  });

  test("responds to version and health", async () => {
    await using etcd = new EtcdClient({ urls: cluster.urls });
    expect((await etcd.version()).etcdserver).toMatch(/^3\.6\./);
    expect(await etcd.health()).toMatchObject([{ healthy: true, endpoint: cluster.urls[0] }]);
  });
});
