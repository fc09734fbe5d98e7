/** The return of gateways to v2, as their clients see it. */

import { expect, it, vi } from "vitest";
import { arm } from "../../src/cutover/arm.js";
import { back } from "../../src/cutover/back.js";
import { flip } from "../../src/cutover/flip.js";
import { EtcdClient } from "../../src/index.js";
import type { ServedGateway } from "../../src/server/index.js";
import { describeWithEtcd } from "../support/etcd.js";
import { ask, keysOfStream, put, untilWatched, whileWriting } from "./clients.js";
import { HOLD_MS, useSwitchRigs } from "./switch-rig.js";

describeWithEtcd("3.7", "a return to v2", () => {
  const { start, keep } = useSwitchRigs();

  /** One gateway, after the switch. */
  async function startSwitched() {
    const { target, source, gateways } = await start(1);
    const [gateway] = gateways;
    await put(gateway, "/data", { value: "1" });
    await arm(source, target, { gateways: 1, hold: HOLD_MS });
    await flip(source, target, {});
    return { target, source, gateway };
  }

  it("goes back to v2, and to v3 again, while clients write", async () => {
    const { target, source, gateways, direct, startGateway } = await start(3);
    const [first, second = first, third = first] = gateways;
    for (let at = 0; at < 200; at++) await source.setNode(`/data/${at % 10}/${at}`, `${at}`);
    await put(first, "/hidden/_kept", { value: "1" });
    await put(first, "/hidden/_removed/key", { value: "1" });
    const kept = (await ask(first, "/data/3/13")).body.node?.modifiedIndex;
    const { clusterId } = await ask(first, "/data");
    await arm(source, target, { gateways: 3, hold: HOLD_MS });
    await flip(source, target, {});
    await put(second, "/data/3/13x", { value: "new" });
    await put(second, "/hidden/_new/key", { value: "2", ttl: "600" });
    await ask(second, "/hidden/_removed?recursive=true", { method: "DELETE" });
    await ask(second, "/data/4?recursive=true", { method: "DELETE" });
    const before = await put(second, "/counter", { value: "0" });
    const waiting = ask(third, "/alone?wait=true");
    const streamed = keysOfStream(third, "/live", "/live/last");
    await untilWatched(third, 2);
    const { result: returned, written } = await whileWriting(gateways, () =>
      back(source, target, {}),
    );
    expect((await streamed).sort()).toEqual(written);

    const { node } = await source.getNode("/live", { recursive: true, quorum: true });
    const keys = node.nodes?.flatMap((each) => each.nodes ?? [each]).map(({ key }) => key) ?? [];
    expect(keys.sort()).toEqual(written);
    expect(await source.getNodeValue("/data/3/13x")).toBe("new");
    expect(await source.getNodeValue("/hidden/_kept")).toBe("1");
    expect((await source.getNode("/hidden/_new/key")).node.ttl).toBeGreaterThan(500);
    for (const gone of ["/hidden/_removed", "/data/4", "/_etcdnet_migration", "/_etcdnet_index"]) {
      await expect(source.getNode(gone)).rejects.toThrow("Key not found");
    }
    for (const gateway of gateways) {
      const after = await ask(gateway, "/data/3/13");
      expect(after.clusterId).toBe(clusterId);
      expect(after.index).toBeGreaterThan(returned.end);
      expect(after.body.node?.modifiedIndex).toBe(kept);
    }
    await put(second, "/alone", { value: "told" });
    expect((await waiting).body.node?.value).toBe("told");
    // A gateway that has not seen the events of v3.
    const later = await startGateway();
    const old = await ask(later, `/counter?wait=true&waitIndex=${before.index}`);
    expect(old.body.errorCode).toBe(401);
    await later.close();
    // A poll from the index of a node that has not changed.
    const polled = ask(first, `/data/3/13?wait=true&waitIndex=${(kept ?? 0) + 1}`);
    await untilWatched(first, 1);
    await put(second, "/data/3/13", { value: "13b" });
    expect((await polled).body.node?.value).toBe("13b");

    await ask(first, "/live?recursive=true", { method: "DELETE" });
    await arm(source, target, { gateways: 3, hold: HOLD_MS });
    const { result: again } = await whileWriting(gateways, () => flip(source, target, {}));
    expect(again.end).toBeGreaterThan(returned.end);
    const v3 = direct();
    expect(await v3.getNodeValue("/data/3/13x")).toBe("new");
    for (const gateway of gateways) {
      const after = await ask(gateway, "/data/3/13");
      expect([after.body.node?.value, after.index > again.end]).toEqual(["13b", true]);
    }
  });

  it("keeps locks and indexes from v3, also when it is left again", async () => {
    const { target, source, gateways, startGateway } = await start(2);
    const [first, second = first] = gateways;
    await using etcd = keep(new EtcdClient({ urls: [first.url] }));
    const onV2 = new Map<string, number>();
    for (const name of ["changed", "kept", "removed", "same"])
      onV2.set(name, (await put(first, `/cas/${name}`, { value: "1" })).index);
    const flipBoth = async () => {
      await arm(source, target, { gateways: 2, hold: HOLD_MS });
      return await flip(source, target, {});
    };
    await flipBoth();
    // So long that a refresh does not change indexes during the test.
    const contender = () => etcd.lock("/locks/held", { ttl: 3_600 }).acquire();
    await using lock = await contender();
    // It waits over both switches.
    const waiting = contender();
    await put(first, "/cas/changed", { value: "2" });
    await put(first, "/cas/created", { value: "1" });
    // v2 has it with its index from before, because its value is the same.
    const { index: same } = await put(first, "/cas/same", { value: "2" });
    await put(first, "/cas/same", { value: "1" });
    await put(first, "/cas/refreshed", { value: "1", ttl: "60" });
    await put(first, "/cas/refreshed", { ttl: "60", refresh: "true", prevExist: "true" });
    await put(first, "/cas/removed", { value: "2" });
    await put(first, "/deep/new/_hidden/file", { value: "1" });
    const shown = async (gateway: ServedGateway) => {
      const listings = ["/cas", "/deep", "/deep/new/_hidden", "/locks/held"];
      const all = await Promise.all(
        listings.map((path) => ask(gateway, `${path}?recursive=true&sorted=true`)),
      );
      return all.map(({ body }) => withoutTtls(body.node));
    };
    const onV3 = await shown(first);
    const indexOf = async (name: string) =>
      (await ask(second, `/cas/${name}`)).body.node?.modifiedIndex ?? 0;
    const [changed, removed, refreshed] = [
      await indexOf("changed"),
      await indexOf("removed"),
      await indexOf("refreshed"),
    ];

    await back(source, target, {});
    const later = await startGateway();
    for (const gateway of [first, second, later]) expect(await shown(gateway)).toEqual(onV3);
    const swap = (key: string, fields: Readonly<Record<string, string>>, index: number) =>
      put(second, key, { ...fields, prevIndex: `${index}` });
    const polled = ask(later, `/cas/changed?wait=true&waitIndex=${changed + 1}`);
    await untilWatched(later, 1);
    const swapped = await swap("/cas/changed", { value: "3" }, changed);
    expect([swapped.status, swapped.body.node?.value]).toEqual([200, "3"]);
    expect(swapped.body).toMatchObject({ prevNode: { modifiedIndex: changed } });
    expect((await polled).body).toEqual(swapped.body);
    expect((await swap("/cas/changed", { value: "4" }, changed)).body.errorCode).toBe(101);
    for (const index of [onV2.get("same") ?? 0, same]) {
      const { status, body } = await swap("/cas/same", { value: "3" }, index);
      expect([status, body.cause]).toEqual([412, `[${index} != ${await indexOf("same")}]`]);
    }
    expect((await swap("/cas/refreshed", { ttl: "50", refresh: "true" }, refreshed)).status).toBe(
      200,
    );
    const removal = await ask(second, `/cas/removed?prevIndex=${removed}`, { method: "DELETE" });
    expect(removal.status).toBe(200);
    lock.assertHeld();

    const before = await shown(first);
    await later.close();
    const { end } = await flipBoth();
    for (const gateway of gateways) expect(await shown(gateway)).toEqual(before);
    expect((await swap("/cas/changed", { value: "4" }, swapped.index)).status).toBe(200);
    lock.assertHeld();
    await lock.release();
    await using next = await waiting;
    expect(next.fencingToken).toBeGreaterThan(lock.fencingToken);
    expect(next.fencingToken).toBeLessThan(end);
  });

  it("can fail, and gateways go on with v3 as before, also those that start later", async () => {
    const { target, source, gateways, startGateway } = await start(2);
    const [first, second = first] = gateways;
    const { index: onV2 } = await put(first, "/changed", { value: "1" });
    await arm(source, target, { gateways: 2, hold: HOLD_MS });
    await flip(source, target, {});
    const { index: onV3 } = await put(first, "/changed", { value: "2" });
    const { index: next } = await put(first, "/changed", { value: "3" });
    const stop = new AbortController();
    const failing = back(source, target, {
      signal: stop.signal,
      onHold: () => stop.abort(new Error("stopped while requests wait")),
    });
    await expect(failing).rejects.toThrow("aborted");
    expect(await target.records.read()).toMatchObject({ phase: "target" });
    const later = await startGateway();
    for (const gateway of [first, second, later]) {
      const { node } = (await ask(gateway, "/changed")).body;
      expect(node).toMatchObject({ value: "3", modifiedIndex: next });
      const event = (await ask(gateway, `/changed?wait=true&waitIndex=${onV3}`)).body.node;
      expect(event).toMatchObject({ value: "2", modifiedIndex: onV3 });
      const swap = await put(gateway, "/changed", { value: "4", prevIndex: `${onV2}` });
      expect(swap.body.errorCode).toBe(101);
    }
    // The copy is not taken for writes of somebody else.
    for (const { problem } of await target.records.gateways()) expect(problem).toBe("");
  });

  it("copies a hidden key that was first used while it copies", async () => {
    const { target, source, gateway } = await startSwitched();
    let used: Promise<unknown> | undefined;
    await back(source, target, {
      onProgress: () => {
        used ??= put(gateway, "/svc/42/_lock/x", { value: "held" });
      },
    });
    await used;
    expect(await source.getNodeValue("/svc/42/_lock/x")).toBe("held");
  });

  it("runs once at a time", async () => {
    const { target, source, gateway } = await startSwitched();
    await put(gateway, "/data", { value: "2" });
    const results = await Promise.allSettled([back(source, target, {}), back(source, target, {})]);
    const failures = results.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    expect(failures.map(String)).toEqual([expect.stringMatching(/run it again in \d+ s$/)]);
    expect(await source.getNodeValue("/data")).toBe("2");
  });

  it("says so when it cannot renew its record", async () => {
    const { target, source, gateway } = await startSwitched();
    for (const key of ["/a", "/b", "/c"]) await put(gateway, key, { value: "1" });
    const note = target.records.noteReturn.bind(target.records);
    vi.spyOn(target.records, "noteReturn")
      .mockRejectedValue(new Error("v3 does not respond"))
      .mockImplementationOnce(note);
    await expect(back(source, target, { late: 1_000, rate: 1 })).rejects.toThrow(
      "the record of this attempt on v3 could not be renewed",
    );
  });
});

/** A node with everything below it, except for what depends on the time. */
function withoutTtls(node: object | undefined): unknown {
  const isTime = (name: string) => name === "ttl" || name === "expiration";
  return JSON.parse(
    JSON.stringify(node ?? null, (name, value) => (isTime(name) ? undefined : value)),
  );
}
