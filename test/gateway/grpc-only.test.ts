import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { findEtcd } from "../../scripts/etcd-binaries.mjs";
import { freePort } from "../../scripts/etcd-process.mjs";
import { EtcdClient } from "../../src/index.js";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { start } from "../foreign/run.js";
import { describeEtcdSideBySide, describeWithEtcd, startEtcd } from "../support/etcd.js";

for (const release of ["3.5", "3.7"] as const) {
  describeEtcdSideBySide(release, `etcd ${release} with gRPC alone at its client URL`, () => {
    it("returns its health and version, also through a gateway", async () => {
      await using etcd = await startEtcd({ release, v2: false, grpcOnly: true });
      const version = {
        etcdserver: expect.stringMatching(`^${release}\\.`),
        etcdcluster: `${release}.0`,
      };
      const [endpoint] = etcd.urls;
      await using client = new EtcdClient({ urls: etcd.urls, api: "v3" });
      expect(await client.health()).toEqual([{ endpoint, healthy: true }]);
      expect(await client.version()).toEqual(version);
      await using gateway = await createGateway({ etcd: { urls: etcd.urls } });
      const health = await fetch(`${gateway.url}/health`);
      expect([health.status, await health.json()]).toEqual([200, { health: "true" }]);
      expect(await (await fetch(`${gateway.url}/version`)).json()).toMatchObject(version);
    });
  });
}

describeWithEtcd("3.7", "a gateway on etcd's own grpc-proxy", () => {
  let gateway: Gateway;
  let stop: () => Promise<void>;
  let key: string;

  beforeAll(async () => {
    const etcd = await startEtcd({ release: "3.7" });
    const port = await freePort();
    const proxy = startProxy(new URL(etcd.urls[0]).host, port);
    gateway = await createGateway({ etcd: { urls: [`http://127.0.0.1:${port}`] } });
    key = `${gateway.url}/v2/keys/a`;
    await vi.waitUntil(() => put("0").catch(() => undefined), { timeout: 300_000 });
    stop = async () => {
      await gateway.close();
      proxy.child.kill("SIGKILL");
      await proxy.ended;
      await etcd.stop();
    };
  });
  afterAll(() => stop?.());

  const put = async (value: string): Promise<number | undefined> => {
    const answer = await fetch(key, { method: "PUT", body: new URLSearchParams({ value }) });
    return ((await answer.json()) as Answer).node?.modifiedIndex;
  };
  const poll = async (query: string): Promise<Answer> =>
    (await (await fetch(`${key}?wait=true${query}`)).json()) as Answer;

  it("is healthy", async () => {
    expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  });

  it("watches future changes without a time limit", async () => {
    const index = (await put("1")) ?? 0;
    const next = poll(`&waitIndex=${index + 1}`);
    await put("2");
    expect((await next).node?.value).toBe("2");
    // The watch on etcd continues. The past is read from its events.
    expect((await poll(`&waitIndex=${index}`)).node?.value).toBe("1");
  });
});

interface Answer {
  readonly node?: { readonly value?: string; readonly modifiedIndex: number };
}

function startProxy(endpoint: string, port: number) {
  const etcd = findEtcd("3.7");
  if ("missing" in etcd) throw new Error(etcd.missing);
  const address = `127.0.0.1:${port}`;
  return start(etcd.path, [
    ...["grpc-proxy", "start", "--endpoints", endpoint],
    // It exits if it does not reach itself at its advertised address.
    ...["--listen-addr", address, "--advertise-client-url", address],
  ]);
}
