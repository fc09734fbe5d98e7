/**
 * Applications of etcd's v2 API, as their packages are, on two gateways before an etcd 3.7. While they
 * work, each gateway is killed once. docs/applications.md has what each of them needs to be told.
 */

import { afterAll, beforeAll, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { isMissing, skipVisibly } from "../foreign/missing.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import type { Application, Gateways, RunningApplication } from "./application.js";
import { confd } from "./confd.js";
import { conftool } from "./conftool.js";
import { etcdctlScripts } from "./etcdctl.js";
import { goFollower } from "./go-follower.js";
import { killAll } from "./program.js";
import { pyconfd } from "./pyconfd.js";
import { pythonLock } from "./python-lock.js";
import { TwoGateways } from "./two-gateways.js";

const APPLICATIONS: readonly Application[] = [
  pythonLock,
  goFollower,
  etcdctlScripts,
  confd,
  pyconfd,
  conftool,
];

/** One application among the others: its failure must not stop them. */
class Participant {
  readonly name: string;
  readonly #start: (gateways: Gateways) => Promise<RunningApplication>;
  #running: RunningApplication | undefined;
  #failure: unknown;

  constructor(name: string, start: (gateways: Gateways) => Promise<RunningApplication>) {
    this.name = name;
    this.#start = start;
  }

  start(gateways: Gateways): Promise<void> {
    return this.#try(async () => {
      this.#running = await this.#start(gateways);
      await this.#running.goesOn();
    });
  }

  goesOn(): Promise<void> {
    return this.#try(() => this.#running?.goesOn());
  }

  /** @throws Error of the first step that failed */
  async finish(): Promise<void> {
    await this.#try(() => this.#running?.finish());
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #try(step: () => Promise<void> | undefined): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.#failure = error;
    }
  }
}

describeWithEtcd("3.7", "goes on when each of two gateways before etcd 3.7 is killed:", () => {
  const participants: Participant[] = [];
  let etcd: EtcdCluster;
  let gateways: TwoGateways;

  beforeAll(async () => {
    buildIfStale();
    etcd = await startEtcd({ release: "3.7" });
    gateways = await TwoGateways.start(etcd.urls);
    await Promise.all(participants.map((each) => each.start(gateways)));
    await gateways.killInTurn(async () => {
      await Promise.all(participants.map((each) => each.goesOn()));
    });
  });
  afterAll(async () => {
    await killAll();
    await gateways?.[Symbol.asyncDispose]();
    await etcd?.stop();
  });

  for (const { name, install } of APPLICATIONS) {
    const start = install();
    if (isMissing(start)) {
      skipVisibly(name, start.missing);
      continue;
    }
    const participant = new Participant(name, start);
    participants.push(participant);
    it.concurrent(name, () => participant.finish());
  }
});
