import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import {
  createGateway,
  type Gateway,
  type ServerStateTrace,
  startEmbeddedEtcd,
} from "../../src/server/index.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { SkippingClock } from "../support/skipping-clock.js";
import { enableAuth, ROOT, revokeFromAlice } from "../v3/v3-auth.js";
import { V3Tool } from "../v3/v3-tools.js";

interface Probed {
  readonly status: number;
  readonly body: string;
  /** Milliseconds until the response. */
  readonly took: number;
}

async function probe({ url }: { readonly url: string }, path = "/readyz"): Promise<Probed> {
  const begun = performance.now();
  const response = await fetch(url + path);
  const body = await response.text();
  return { status: response.status, body, took: performance.now() - begun };
}

const READY = { status: 200, body: "ok\n" };

/** Far above the half second of a check, because test machines are busy; far below the 10 s of a hung member. */
const BOUND_MS = 5_000;

it("a server that drains is live and serves requests, but is not ready", async () => {
  await using server = await startEmbeddedEtcd();
  expect(await probe(server)).toMatchObject(READY);
  server.drain();
  expect(await probe(server)).toMatchObject({ status: 503, body: "not ready: shutting down\n" });
  expect(await probe(server, "/livez")).toMatchObject(READY);
  expect((await fetch(`${server.url}/v2/keys/`)).status).toBe(200);
  expect((await fetch(`${server.url}/readyz`, { method: "HEAD" })).status).toBe(503);
  expect((await fetch(`${server.url}/livez`, { method: "POST" })).status).toBe(405);
  expect((await probe(server, "/metrics")).body).toMatch(/^etcdnet_ready 0$/m);
});

it("probes may use the IP address of a pod as the host", async () => {
  await using server = await startEmbeddedEtcd();
  const status = await new Promise((resolve, reject) => {
    const headers = { host: "10.244.1.17:2379", "user-agent": "kube-probe/1.31" };
    request(`${server.url}/readyz`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once("error", reject)
      .end();
  });
  expect(status).toBe(200);
});

describeWithEtcd("3.7", "the probes of a gateway", () => {
  let etcd: EtcdCluster;
  let clock: SkippingClock;
  let gateway: Gateway;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.7", members: 3 });
    clock = new SkippingClock();
    gateway = await createGateway({ etcd: { urls: etcd.urls, clock } });
  });
  afterAll(async () => {
    await gateway?.close();
    await etcd?.stop();
  });

  /** The ID and the process of the leader; undefined while there is none. */
  async function leader() {
    await using client = new EtcdClient({ urls: etcd.urls, api: "v3" });
    const found = await client.members.leader().catch(() => undefined);
    const member = etcd.members.find(({ url }) => found?.clientURLs.includes(url));
    return found && { id: found.id, member };
  }

  it("is ready at once while a member hangs, and names it in a metric", async () => {
    const [paused] = etcd.members;
    paused.pause();
    try {
      await expect.poll(() => probe(gateway), { timeout: 60_000 }).toMatchObject(READY);
      expect((await probe(gateway)).took).toBeLessThan(BOUND_MS);
      const up = async () => (await probe(gateway, "/metrics")).body;
      await expect
        .poll(up, { timeout: 60_000, interval: 500 })
        .toContain(`etcdnet_member_up{endpoint="${paused.url}"} 0\n`);
    } finally {
      paused.resume();
    }
  });

  it("stays ready while a new leader is elected", async () => {
    const old = await leader();
    await old?.member?.kill();
    const results: Probed[] = [];
    for (let now = old; now === undefined || now.id === old?.id; now = await leader()) {
      results.push(await probe(gateway));
    }
    results.push(await probe(gateway));
    expect(results.filter(({ status }) => status !== 200)).toEqual([]);
    expect(Math.max(...results.map(({ took }) => took))).toBeLessThan(BOUND_MS);
    await old?.member?.start();
  });

  it("is not ready when all members are gone, stays live, and recovers by itself", async () => {
    await expect.poll(() => probe(gateway), { timeout: 60_000 }).toMatchObject(READY);
    const states: ServerStateTrace[] = [];
    const onState = (message: unknown) => states.push(message as ServerStateTrace);
    subscribe("etcdnet:server-state", onState);
    await Promise.all(etcd.members.map((member) => member.kill()));
    expect(await probe(gateway, "/livez")).toMatchObject(READY);
    clock.skip(1_000);
    await probe(gateway);
    clock.skip(10_000);
    const gone = await probe(gateway);
    expect(gone).toMatchObject({
      status: 503,
      body: "not ready: no etcd member serves reads: 3 of 3 could not be reached\n",
    });
    expect(gone.took).toBeLessThan(BOUND_MS);
    await Promise.all(etcd.members.map((member) => member.start()));
    await expect.poll(() => probe(gateway), { timeout: 60_000 }).toMatchObject(READY);
    const problems = () =>
      states.flatMap((state) => (state.kind === "ready" ? [state.problem] : []));
    await expect.poll(problems).toEqual([expect.stringMatching(/3 of 3/), undefined]);
    const failed = states.filter((state) => state.kind === "member" && state.error !== undefined);
    expect(failed.length).toBeGreaterThanOrEqual(3);
    expect(states).toContainEqual(expect.objectContaining({ kind: "watch", event: "lost" }));
    unsubscribe("etcdnet:server-state", onState);
  });

  it("is ready without space: reads are served", async () => {
    const tool = new V3Tool(etcd.urls);
    await tool.ask("maintenance/alarm", { action: "ACTIVATE", alarm: "NOSPACE" });
    clock.skip(1_000);
    expect(await probe(gateway)).toMatchObject(READY);
    expect(await probe(gateway, "/health")).toMatchObject({ status: 503 });
    await tool.ask("maintenance/alarm", { action: "DEACTIVATE", alarm: "NOSPACE" });
    tool.close();
  });

  it("is not ready when etcd refuses the gateway's user", async () => {
    const tool = new V3Tool(etcd.urls);
    await enableAuth(tool);
    tool.close();
    clock.skip(1_000);
    await probe(gateway);
    clock.skip(10_000);
    expect(await probe(gateway)).toMatchObject({
      status: 503,
      body: "not ready: no etcd member serves reads: 3 of 3 refused the user of the gateway\n",
    });
    const root = new V3Tool(etcd.urls, ROOT);
    await revokeFromAlice(root);
    await root.ask("auth/disable", {});
    root.close();
    clock.skip(1_000);
    expect(await probe(gateway)).toMatchObject(READY);
  });
});
