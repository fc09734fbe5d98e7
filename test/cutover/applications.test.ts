/**
 * Applications of etcd's v2 API, as their packages are, that are switched from etcd 3.5 with v2 to etcd 3.7 while they
 * work. They must not notice it. In the long form, `npm run applications`, they also return to v2, and are switched again.
 */

import { afterAll, beforeAll, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { participants } from "../applications/participants.js";
import { killAll } from "../applications/program.js";
import { TwoGateways } from "../applications/two-gateways.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

/** Long enough for a busy machine. */
const HOLD = "20s";

const isLong = process.env.ETCDNET_APPLICATIONS === "long";

describeWithEtcd("3.7", "goes on when it is switched from v2 to v3:", () => {
  const all = participants();
  let old: EtcdCluster;
  let next: EtcdCluster;
  let gateways: TwoGateways;

  const goOn = () => Promise.all(all.map((each) => each.goesOn()));

  async function goOnAfter(...args: readonly string[]): Promise<void> {
    await cutover(...args);
    await goOn();
  }

  async function cutover(...args: readonly string[]): Promise<void> {
    const endpoints = ["--source", old.urls.join(","), "--endpoints", next.urls.join(",")];
    await using cli = new Cli("cutover", ...args, ...endpoints);
    expect(await cli.exit, cli.stderr).toBe(0);
  }

  beforeAll(async () => {
    buildIfStale();
    old = await startEtcd({ release: "3.5", members: 3 });
    next = await startEtcd({ release: "3.7" });
    const [source, endpoints] = [old.urls.join(","), next.urls.join(",")];
    gateways = await TwoGateways.start(["--source", source, "--endpoints", endpoints]);
    await Promise.all(all.map((each) => each.start(gateways)));
    const arm = ["arm", "--gateways", "2", "--hold", HOLD];
    await goOnAfter(...arm);
    await goOnAfter("rehearse");
    await goOnAfter("flip");
    if (isLong) {
      await goOnAfter("back");
      await goOnAfter(...arm);
      await goOnAfter("flip");
    }
    await old.stop();
    await goOn();
  });
  afterAll(async () => {
    await killAll();
    await gateways?.[Symbol.asyncDispose]();
    await next?.stop();
    await old?.stop();
  });

  for (const each of all) it.concurrent(each.name, () => each.finish());
});
