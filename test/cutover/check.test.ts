/** What an operator is told before the switch, and about v2 after it. */

import { expect, it } from "vitest";
import { arm } from "../../src/cutover/arm.js";
import { check } from "../../src/cutover/check.js";
import { cutoverStatus } from "../../src/cutover/cutover-status.js";
import { flip } from "../../src/cutover/flip.js";
import { openTarget } from "../../src/cutover/open-target.js";
import { EtcdClient } from "../../src/index.js";
import { createSourceGateway } from "../../src/server/index.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

/** Long enough for a busy machine. */
const HOLD_MS = 60_000;

/** Runs work again and again until another work has ended. */
async function during<T>(work: () => Promise<unknown>, other: Promise<T>): Promise<T> {
  let hasEnded = false;
  const repeating = (async () => {
    while (!hasEnded) await work();
  })();
  try {
    return await other;
  } finally {
    hasEnded = true;
    await repeating;
  }
}

describeWithEtcd("3.7", "a cut-over", () => {
  it("names programs that write to v2 without a gateway, before and after the switch", async () => {
    await using old = await startEtcd({ release: "3.4" });
    await using next = await startEtcd({ release: "3.7" });
    const etcd = { urls: next.urls };
    const source = { urls: old.urls };
    await using one = await createSourceGateway({ source, etcd });
    await using two = await createSourceGateway({ source, etcd });
    await using target = openTarget(etcd);
    await using direct = new EtcdClient(source);
    await using first = new EtcdClient({ urls: [one.url] });
    await using second = new EtcdClient({ urls: [two.url] });
    await expect.poll(() => target.records.gateways()).toHaveLength(2);
    const options = { hold: 2_000, observe: 1_000 };
    const work = () =>
      Promise.all([
        first.setNode("/app/a", "1"),
        second.setNode("/app/b", "1"),
        second.setNode("/app/expires", "1", { ttl: 1 }),
      ]);

    // Longer than gateways take to respond.
    const headers = { "User-Agent": "tool/1.0" };
    await fetch(`${one.url}/v2/keys/app?recursive=true`, { headers });
    await fetch(`${two.url}/v2/keys/app?waitIndex=1&wait=true&recursive=true`, { headers });
    const clear = await during(work, check(direct, target, { ...options, observe: 5_000 }));
    const isTool = ({ agent }: { readonly agent: string }) => agent === "tool/1.0";
    expect(clear.census?.clients.filter(isTool)).toEqual([
      {
        ...{ address: "127.0.0.1", agent: "tool/1.0" },
        ...{ reads: 1, writes: 0, watches: 1, indexedWatches: 1 },
      },
    ]);
    expect(clear.blockers).toEqual([]);
    expect(clear.nodes).toBeGreaterThan(2);
    expect(clear.census?.changes).toBeGreaterThan(3);
    expect(clear.warnings.join()).toMatch(/^the TTL of \/app\/expires has 1 s left/);

    await first.setNode("/app/_hidden", "1");
    await expect
      .poll(async () => (await target.records.gateways()).flatMap(({ hidden }) => hidden))
      .toEqual(["/app/_hidden"]);
    const both = async () => {
      await Promise.all([work(), direct.setNode("/foreign", "1")]);
      await direct.setNode("/_foreign", "1");
    };
    const checked = await during(both, check(direct, target, options));
    const { blockers, warnings, hidden } = checked;
    expect(blockers.join()).toMatch(
      /^\d+ changes of v2 were not made by a registered gateway: set \/foreign$/,
    );
    expect(hidden).toEqual(["/app/_hidden"]);
    expect(warnings.join()).toMatch(/\d+ changes of v2 without an event were not made by/);

    await arm(direct, target, { gateways: 2, hold: HOLD_MS });
    await flip(direct, target, {});
    expect((await cutoverStatus(target.records)).alarms).toEqual([]);
    await direct.setNode("/foreign", "2");
    const alarms = async () => (await cutoverStatus(target.records)).alarms.join();
    await expect
      .poll(alarms)
      .toMatch(/changes of v2 after its end: 1; last: set \/foreign at index \d+/);
    const metrics = await (await fetch(`${one.url}/metrics`)).text();
    expect(metrics).toMatch(/^etcdnet_cutover_phase\{phase="target"\} 1$/m);
    expect(metrics).toMatch(/^etcdnet_cutover_serving 1$/m);
    expect(metrics).toMatch(/^etcdnet_cutover_way_back 1$/m);
    await expect
      .poll(async () => (await fetch(`${one.url}/metrics`)).text())
      .toMatch(/^etcdnet_cutover_late_changes_total 1$/m);
    expect((await check(direct, target, options)).blockers).toEqual([
      "the gateways have switched already",
    ]);
  });
});
