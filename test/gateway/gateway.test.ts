import { afterAll, beforeAll, expect, it } from "vitest";
import { EtcdClient } from "../../src/index.js";
import { createGateway, type Gateway } from "../../src/server/index.js";
import { get, RawClient } from "../embedded/raw-client.js";
import { describeEtcdSideBySide, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { SkippingClock } from "../support/skipping-clock.js";
import { V3Tool } from "../v3/v3-tools.js";

async function metricsOf({ url }: Gateway): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text();
}

const SHORT = { requestTimeout: 300, writeTimeout: 300, timeout: 900 };

for (const release of ["3.4", "3.7"] as const) {
  describeEtcdSideBySide(release, `a gateway before etcd ${release}`, () => {
    let etcd: EtcdCluster;
    let gateway: Gateway;
    beforeAll(async () => {
      etcd = await startEtcd({ release, v2: false, members: 3 });
      gateway = await createGateway({ etcd: { urls: etcd.urls } });
    });
    afterAll(async () => {
      await gateway?.close();
      await etcd?.stop();
    });

    const ask = async (path: string, init?: RequestInit): Promise<Response> =>
      fetch(gateway.url + path, init);

    it("returns the cluster's members, machines, version, health and statistics", async () => {
      const { members } = (await (await ask("/v2/members")).json()) as { members: object[] };
      expect(members).toHaveLength(3);
      const machines = (await (await ask("/v2/machines")).text()).split(", ");
      expect(machines).toEqual([gateway.url]);
      expect(await (await ask("/version")).json()).toMatchObject({
        etcdserver: expect.stringContaining(release),
      });
      expect(await (await ask("/health")).json()).toEqual({ health: "true" });
      const leader = (await (await ask("/v2/members/leader")).json()) as { id: string };
      const self = await (await ask("/v2/stats/self")).json();
      expect(self).toMatchObject({ leaderInfo: { leader: leader.id } });
      const answer = await ask("/v2/keys/");
      expect(answer.headers.get("x-etcd-cluster-id")).toMatch(/^[0-9a-f]{1,16}$/);
    });

    it("responds to /health and /metrics while members hang", async () => {
      const urls = etcd.urls;
      await using patient = await createGateway({ etcd: { urls, requestTimeout: 60_000 } });
      await using client = new EtcdClient({ urls, api: "v3" });
      const leader = await client.members.leader();
      const isLeader = ({ url }: { url: string }): boolean => leader.clientURLs.includes(url);
      try {
        // Without a leader no member is healthy.
        etcd.members.find((member) => !isLeader(member))?.pause();
        const health = await fetch(`${patient.url}/health`);
        expect(await health.json()).toEqual({ health: "true" });
        for (const member of etcd.members) member.pause();
        const metrics = await (await fetch(`${patient.url}/metrics`)).text();
        expect(metrics).toMatch(/^etcdnet_watchers 0$/m);
        expect(metrics).not.toMatch(/^etcd_server_version/m);
      } finally {
        for (const member of etcd.members) member.resume();
      }
    });

    it("advertises gateways in place of members, with the option", async () => {
      const urls = ["http://gateway-b:2379", "http://gateway-a:2379"];
      await using advertised = await createGateway({ etcd: { urls: etcd.urls }, advertise: urls });
      const machines = await (await fetch(`${advertised.url}/v2/machines`)).text();
      expect(machines).toBe("http://gateway-a:2379, http://gateway-b:2379");
      const answer = await fetch(`${advertised.url}/v2/members/leader`);
      expect(await answer.json()).toMatchObject({ clientURLs: urls.toSorted() });
    });

    it("counts watches and batches", async () => {
      const watch = new RawClient(gateway.url).send(get("/v2/keys/counted?wait=true"));
      await watch.got(/\r\n\r\n/);
      await Promise.all(Array.from({ length: 200 }, () => ask("/v2/keys/?quorum=true")));
      const metrics = await metricsOf(gateway);
      expect(metrics).toMatch(/^etcdnet_watchers 1$/m);
      expect(metrics).toMatch(/^etcdnet_watch_lag_revisions \d+$/m);
      expect(metrics).toMatch(/^etcdnet_read_batches_total \d+$/m);
      expect(metrics).toMatch(/^etcd_debugging_store_watchers 1$/m);
      watch.socket.destroy();
    });

    it("watches etcd for seconds after the last poll, and a later one gets what it missed", async ({
      expect,
    }) => {
      const clock = new SkippingClock();
      await using patient = await createGateway({ etcd: { urls: etcd.urls, clock } });
      const poll = new RawClient(patient.url).send(get("/v2/keys/kept?wait=true"));
      await poll.got(/\r\n\r\n/);
      const body = new URLSearchParams({ value: "1" });
      const set = await fetch(`${patient.url}/v2/keys/kept`, { method: "PUT", body });
      await poll.got(/"action":"set"/);
      await expect.poll(() => metricsOf(patient)).toMatch(/^etcdnet_watchers 0$/m);
      clock.skip(5_000);
      expect(await metricsOf(patient)).toMatch(/^etcdnet_events_held [1-9]/m);
      clock.skip(10_000);
      await expect.poll(() => metricsOf(patient)).toMatch(/^etcdnet_events_held 0$/m);
      // Its rate is that of the events.
      expect(await metricsOf(patient)).toMatch(/^etcdnet_watch_index [1-9]/m);
      const since = set.headers.get("x-etcd-index");
      const late = await fetch(`${patient.url}/v2/keys/kept?wait=true&waitIndex=${since}`);
      expect(await late.json()).toMatchObject({ action: "set", node: { value: "1" } });
      poll.socket.destroy();
    });

    it("ends watches with an empty body when it is closed", async () => {
      const closing = await createGateway({ etcd: { urls: etcd.urls } });
      const watch = new RawClient(closing.url).send(get("/v2/keys/b?wait=true"));
      await watch.got(/\r\n\r\n/);
      await closing.close();
      expect(await watch.ended()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n0\r\n\r\n$/s);
    });

    it("responds with 500 and error 300 while the cluster is down, and serves when it is back", async ({
      expect,
    }) => {
      await using proxy = await FaultProxy.before(etcd.urls[0]);
      await proxy.become("refuse");
      await using away = await createGateway({ etcd: { urls: [proxy.url], ...SHORT } });
      const write = { method: "PUT", body: new URLSearchParams({ value: "1" }) };
      for (const init of [undefined, write]) {
        const answer = await fetch(`${away.url}/v2/keys/away`, init);
        expect(answer.status).toBe(500);
        expect(answer.headers.get("x-etcd-index")).toBe("0");
        expect(await answer.json()).toMatchObject({ errorCode: 300, index: 0 });
      }
      expect((await fetch(`${away.url}/health`)).status).toBe(503);
      await proxy.become("pass");
      await expect
        .poll(async () => (await fetch(`${away.url}/v2/keys/away`, write)).status)
        .toBe(201);
    });

    it("responds like etcd to a write with an unknown outcome", async () => {
      await using proxy = await FaultProxy.before(etcd.urls[0]);
      await using cut = await createGateway({ etcd: { urls: [proxy.url], ...SHORT } });
      const write = { method: "PUT", body: new URLSearchParams({ value: "1" }) };
      await fetch(`${cut.url}/v2/keys/unknown`, write);
      await proxy.become("cut after request");
      const answer = await fetch(`${cut.url}/v2/keys/unknown`, write);
      expect(answer.status).toBe(500);
      expect(await answer.json()).toMatchObject({ errorCode: 300, index: 0 });
    });

    it("responds like etcd when the disk is full, and still serves reads and watches", async () => {
      await using full = await startEtcd({ release, v2: false });
      await using before = await createGateway({ etcd: { urls: full.urls } });
      await using client = new EtcdClient({ urls: [before.url] });
      const { etcdIndex } = await client.setNode("/a", "1");
      const tool = new V3Tool(full.urls);
      await tool.ask("maintenance/alarm", { action: "ACTIVATE", alarm: "NOSPACE" });
      const write = { method: "PUT", body: new URLSearchParams({ value: "2" }) };
      const answer = await fetch(`${before.url}/v2/keys/a`, write);
      expect(answer.status).toBe(500);
      expect(await answer.json()).toMatchObject({
        errorCode: 300,
        cause: "etcdserver: mvcc: database space exceeded",
      });
      expect(await client.getNodeValue("/a", { quorum: true })).toBe("1");
      expect(await client.watchNode("/a", { waitIndex: etcdIndex })).toMatchObject({
        node: { value: "1" },
      });
      tool.close();
    });

    it("watches on a cluster without a leader end", async ({ expect }) => {
      await using client = new EtcdClient({ urls: [gateway.url] });
      const [, second, third] = etcd.members;
      const { etcdIndex } = await client.setNode("/before", "1");
      const watcher = client.watch("/isolated", { from: etcdIndex + 1 });
      const event = watcher.next();
      second?.pause();
      third?.pause();
      await expect(client.setNode("/isolated", "1")).rejects.toThrow();
      second?.resume();
      third?.resume();
      await expect
        .poll(
          () =>
            client.setNode("/isolated", "2").then(
              () => true,
              () => false,
            ),
          {
            timeout: 20_000,
          },
        )
        .toBe(true);
      expect(await event).toMatchObject({
        value: { type: "change", response: { node: { key: "/isolated" } } },
      });
      watcher.close();
    });
  });
}
