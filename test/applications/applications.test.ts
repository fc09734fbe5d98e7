/**
 * Applications of etcd's v2 API, as their packages are, on two gateways before an etcd 3.7. While they
 * work, each gateway is killed once. docs/applications.md has what each of them needs to be told.
 */

import { afterAll, beforeAll, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { participants } from "./participants.js";
import { killAll } from "./program.js";
import { TwoGateways } from "./two-gateways.js";

describeWithEtcd("3.7", "goes on when each of two gateways before etcd 3.7 is killed:", () => {
  const all = participants();
  let etcd: EtcdCluster;
  let gateways: TwoGateways;

  beforeAll(async () => {
    buildIfStale();
    etcd = await startEtcd({ release: "3.7" });
    gateways = await TwoGateways.start(["--endpoints", etcd.urls.join(",")]);
    await Promise.all(all.map((each) => each.start(gateways)));
    await gateways.killInTurn(async () => {
      await Promise.all(all.map((each) => each.goesOn()));
    });
  });
  afterAll(async () => {
    await killAll();
    await gateways?.[Symbol.asyncDispose]();
    await etcd?.stop();
  });

  for (const each of all) it.concurrent(each.name, () => each.finish());
});
