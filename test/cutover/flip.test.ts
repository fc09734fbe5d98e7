/** The switch of gateways from v2 to v3, as their clients see it. */

import { expect, it } from "vitest";
import { arm, disarm } from "../../src/cutover/arm.js";
import { abort, flip } from "../../src/cutover/flip.js";
import { EtcdClient } from "../../src/index.js";
import { describeWithEtcd } from "../support/etcd.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { ask, put, untilWatched, whileWriting } from "./clients.js";
import { afterListing, HOLD_MS, useSwitchRigs } from "./switch-rig.js";

describeWithEtcd("3.7", "a cut-over", () => {
  const { start, keep } = useSwitchRigs();

  it("shows no error to clients, and loses no write and no event", async () => {
    const { target, source, gateways, direct } = await start(3);
    const [first, second = first, third = first] = gateways;
    for (let at = 0; at < 200; at++) await source.setNode(`/data/${at % 10}/${at}`, `${at}`);
    await source.setNode("/ttl/kept", "1", { ttl: 600 });
    await source.setNode("/ttl/short", "1", { ttl: 60 });
    const { clusterId } = await ask(first, "/data");
    const one = ask(third, "/alone?wait=true");
    await arm(source, target, { gateways: 3, hold: HOLD_MS });
    const switching = () => flip(source, target, {});
    const { result: flipped, seen, written } = await whileWriting(gateways, switching);
    const indexes = seen.map((each) => each.index);
    expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
    await put(second, "/alone", { value: "told" });
    expect((await one).body.node?.value).toBe("told");

    // v3 has everything; v2 has nothing after the end.
    const v3 = direct();
    const { node } = await v3.getNode("/live", { recursive: true });
    const keys = node.nodes?.flatMap((each) => each.nodes ?? [each]).map(({ key }) => key) ?? [];
    expect(keys.sort()).toEqual(written);
    expect((await v3.getNode("/ttl/kept")).node.ttl).toBeGreaterThan(500);
    expect((await source.getNode("/", { quorum: true })).etcdIndex).toBe(flipped.end);
    for (const gateway of gateways) {
      const after = await ask(gateway, "/data/3/13");
      expect(after.clusterId).toBe(clusterId);
      expect(after.body.node?.value).toBe("13");
      expect(after.index).toBeGreaterThan(flipped.end);
    }
  });

  it("keeps locks and indexes from before", async () => {
    const { target, source, gateways, direct, startGateway } = await start(2);
    const [first, second = first] = gateways;
    await using etcd = keep(new EtcdClient({ urls: [first.url] }));
    await using lock = await etcd.lock("/locks/held", { ttl: 60 }).acquire();
    const { index: swapped } = await put(first, "/cas/swapped", { value: "1" });
    const { index: changed } = await put(first, "/cas/changed", { value: "1" });
    const { index: refreshed } = await put(first, "/cas/refreshed", { value: "1", ttl: "60" });
    const { index: removed } = await put(first, "/cas/removed", { value: "1" });
    const { index: kept } = await put(first, "/cas/kept", { value: "1" });
    await arm(source, target, { gateways: 2, hold: HOLD_MS });
    const { end } = await flip(source, target, {});
    const swap = (key: string, fields: Readonly<Record<string, string>>, index: number) =>
      put(second, key, { ...fields, prevIndex: `${index}` });
    expect((await put(second, "/cas/changed", { value: "2" })).status).toBe(200);
    expect((await swap("/cas/changed", { value: "3" }, changed)).body.errorCode).toBe(101);
    const done = await swap("/cas/swapped", { value: "2" }, swapped);
    expect([done.status, done.body.node?.value]).toEqual([200, "2"]);
    expect((await swap("/cas/swapped", { value: "3" }, swapped)).body.errorCode).toBe(101);
    const renewed = await swap("/cas/refreshed", { ttl: "50", refresh: "true" }, refreshed);
    expect(renewed.status).toBe(200);
    const query = `?prevIndex=${removed}`;
    expect((await ask(second, `/cas/removed${query}`, { method: "DELETE" })).status).toBe(200);
    await expect(direct().getNode("/cas/removed")).rejects.toThrow("Key not found");
    // Also by a gateway that has seen nothing of v2.
    const later = await startGateway();
    for (const gateway of [second, later]) {
      const { node } = (await ask(gateway, "/cas/kept")).body;
      expect(node).toMatchObject({ modifiedIndex: kept, createdIndex: kept });
    }
    const polled = ask(later, `/cas/kept?wait=true&waitIndex=${kept + 1}`);
    await untilWatched(later, 1);
    await swap("/cas/kept", { value: "2" }, kept);
    const told = (await polled).body;
    expect(told).toMatchObject({ action: "compareAndSwap", prevNode: { modifiedIndex: kept } });
    expect(told.node?.createdIndex).toBe(kept);
    lock.assertHeld();
    const waiting = etcd.lock("/locks/held", { ttl: 60 }).acquire();
    await lock.release();
    await using next = await waiting;
    expect(next.fencingToken).toBeGreaterThan(Math.max(lock.fencingToken, end));
  });

  it("copies the first TTL of a key, given by a refresh after the key was copied", async () => {
    const { target, source, gateways, direct } = await start(2);
    const [gateway] = gateways;
    // Each in a directory of its own: known TTLs are read again with their directory.
    const names = Array.from({ length: 20 }, (_, at) => `/quiet/${at + 10}/key`);
    for (const name of [...names, "/quiet/last/key"]) await source.setNode(name, "1");
    await arm(source, target, { gateways: 2, hold: HOLD_MS });
    await flip(source, target, { rehearse: true });
    const refreshed: string[] = [];
    // After each listing, a key gets a TTL: the last one is not seen by any listing before the hold.
    const listed = afterListing(source, "/quiet/last/key", async () => {
      if ((await target.records.read())?.phase === "holding") return;
      const name = names[refreshed.length] ?? "";
      const fields = { ttl: "300", refresh: "true", prevExist: "true" };
      expect((await put(gateway, name, fields)).status).toBe(200);
      refreshed.push(name);
    });
    await flip(listed, target, {});
    expect(refreshed.length).toBeGreaterThan(0);
    const v3 = direct();
    for (const name of refreshed) expect((await v3.getNode(name)).node.ttl).toBeGreaterThan(200);
    for (const name of names.slice(refreshed.length)) {
      expect((await v3.getNode(name)).node.ttl).toBeUndefined();
    }
  });

  it("does not acknowledge a write that reaches v2 after its end", async () => {
    const proxies: FaultProxy[] = [];
    const { target, source, gateways, direct } = await start(1, {
      through: async (urls) => {
        proxies.push(...(await Promise.all(urls.map((url) => FaultProxy.before(url)))));
        return proxies.map(({ url }) => url);
      },
    });
    const [gateway] = gateways;
    await arm(source, target, { gateways: 1, hold: HOLD_MS });
    for (const proxy of proxies) await proxy.become("hold");
    const late = put(gateway, "/late", { value: "1" });
    const metrics = async () => (await fetch(`${gateway.url}/metrics`)).text();
    await expect.poll(metrics).toMatch(/^etcd_http_received_total\{method="PUT"\} 1$/m);
    await flip(source, target, {});
    for (const proxy of proxies) await proxy.become("pass");
    const { status, body } = await late;
    expect([status, body.errorCode]).toEqual([500, 300]);
    await expect.poll(() => source.getNodeValue("/late")).toBe("1");
    await expect(direct().getNode("/late")).rejects.toThrow("Key not found");
    expect((await ask(gateway, "/late")).status).toBe(404);
    await Promise.all(proxies.map((proxy) => proxy.close()));
  });

  it("goes back to v2 by itself when the process that switches has stopped", async () => {
    const { target, source, gateways } = await start(2);
    const [gateway] = gateways;
    await arm(source, target, { gateways: 2, hold: 500 });
    const armed = await target.records.read();
    if (armed === undefined) throw new Error("not armed");
    await target.records.change(armed, { ...armed, phase: "holding" });
    const held = put(gateway, "/held", { value: "1" });
    expect((await held).status).toBe(201);
    expect(await source.getNodeValue("/held")).toBe("1");
    await expect.poll(async () => (await target.records.read())?.phase).toBe("armed");
    await expect(abort(target)).rejects.toThrow("this needs the state holding");
    // A switch on a busy machine needs more than the short hold.
    const again = await target.records.read();
    if (again === undefined) throw new Error("not armed");
    await target.records.change(again, { ...again, hold: HOLD_MS });
    await flip(source, target, {});
    expect((await put(gateway, "/held", { value: "2" })).status).toBe(200);
    expect(await source.getNodeValue("/held")).toBe("1");
  });

  it("can be rehearsed: gateways hold, and go on with v2", async () => {
    const { target, source, gateways, direct } = await start(2);
    const [first, second = first] = gateways;
    await source.setNode("/data/1", "1", { ttl: 600 });
    await arm(source, target, { gateways: 2, hold: HOLD_MS });
    const rehearsing = () => flip(source, target, { rehearse: true });
    const { result, seen } = await whileWriting(gateways, rehearsing);
    const { end } = result;
    expect((await target.records.read())?.phase).toBe("armed");
    expect((await source.getNode("/live/last")).node.modifiedIndex).toBeGreaterThan(end);
    // What was written up to the end is on v3, and nothing later.
    const { node } = await direct().getNode("/live", { recursive: true });
    const copied = node.nodes?.flatMap(({ nodes = [] }) => nodes).map(({ key }) => key) ?? [];
    const expected = seen.filter(({ index }) => index <= end).map(({ key }) => key);
    expect(copied.sort()).toEqual(expected.sort());
    await flip(source, target, {});
    expect((await ask(second, "/live/last")).body.node?.value).toBe("x");
  });

  it("accepts only what v3 can store, from arm on", async () => {
    const { target, source, gateways } = await start(1);
    const [gateway] = gateways;
    const deep = `/deep${"/d".repeat(70)}`;
    const large = "x".repeat(1_600_000);
    expect(await put(gateway, deep, { value: "1" })).toMatchObject({ status: 201 });
    expect(await put(gateway, "/large", { value: large })).toMatchObject({ status: 201 });
    await source.deleteNode("/deep", { recursive: true });
    await source.deleteNode("/large");
    await arm(source, target, { gateways: 1, hold: HOLD_MS });
    const refusals = [
      await put(gateway, deep, { value: "1" }),
      await put(gateway, "/large", { value: large }),
    ];
    expect(refusals.map(({ status, body }) => [status, body.errorCode, body.cause])).toEqual([
      [400, 209, "the key has 71 levels; use a key with at most 62 levels on the v3 API"],
      [400, 209, "etcdserver: request is too large"],
    ]);
    const fits = "x".repeat(1_400_000);
    expect(await put(gateway, "/large", { value: fits })).toMatchObject({ status: 201 });
    await flip(source, target, {});
    expect((await ask(gateway, "/large")).body.node?.value).toBe(fits);
  });

  it("needs every gateway, and can be undone before the switch", async () => {
    const { target, source, gateways } = await start(1);
    const [gateway] = gateways;
    await expect(flip(source, target, {})).rejects.toThrow("the state of the cut-over is source");
    await expect(arm(source, target, { gateways: 2, hold: 100 })).rejects.toThrow(
      /1 gateways are registered instead of 2/,
    );
    await arm(source, target, { gateways: 1, hold: HOLD_MS });
    await expect(arm(source, target, { gateways: 1, hold: 100 })).rejects.toThrow(
      "is already armed",
    );
    await put(gateway, "/app/_lock/1", { value: "1" });
    await expect
      .poll(async () => (await target.records.gateways())[0]?.hidden)
      .toEqual(["/app/_lock"]);
    await disarm(target);
    expect((await put(gateway, "/a", { value: "1" })).status).toBe(201);
    await arm(source, target, { gateways: 1, hold: HOLD_MS });
    await source.setNode("/app/_named/_lock/1", "1");
    await flip(source, target, { hidden: ["/app/_named", "/app/_named/_lock"] });
    expect((await ask(gateway, "/app/_lock/1")).body.node?.value).toBe("1");
    expect((await ask(gateway, "/app/_named/_lock/1")).body.node?.value).toBe("1");
  });
});
