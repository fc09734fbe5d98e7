/**
 * Two Patroni nodes with PostgreSQL on two gateways before an etcd 3.7. It takes minutes, because
 * Patroni's smallest TTL is 20 s: `npm run applications` runs it.
 */

import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, onTestFailed } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { isMissing, skipVisibly } from "../foreign/missing.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import {
  installPatroni,
  PATRONI_VERSION,
  type Patroni,
  withReadablePackages,
} from "./patroni/install.js";
import { PatroniNode, SCOPE } from "./patroni/node.js";
import { Observer } from "./patroni/observer.js";
import { TwoGateways } from "./two-gateways.js";

const NAME = `Patroni ${PATRONI_VERSION}`;
const STEP_LIMIT_MS = 300_000;
const POLL_EVERY_MS = 200;
/** Renewals of the leader's key, one in each loop of Patroni. */
const RENEWALS = 4;

const isLong = process.env.ETCDNET_APPLICATIONS === "long";
const patroni = isLong
  ? installPatroni()
  : { missing: "it takes minutes; `npm run applications` runs it" };

if (isMissing(patroni)) skipVisibly(NAME, patroni.missing);
else describeWithEtcd("3.7", `${NAME} on two gateways before etcd 3.7`, () => tellStory(patroni));

/** In order: each test goes on from where the one before it ended. */
function tellStory(patroni: Patroni): void {
  let directory: string;
  let etcd: EtcdCluster;
  let gateways: TwoGateways;
  let first: PatroniNode;
  let second: PatroniNode;
  let observer: Observer;
  let hasFailed = false;

  beforeAll(async () => {
    buildIfStale();
    directory = mkdtempSync(join(tmpdir(), "patroni-"));
    if (patroni.user) chownSync(directory, patroni.user.uid, patroni.user.gid);
    const readable = withReadablePackages(patroni, directory);
    etcd = await startEtcd({ release: "3.7" });
    gateways = await TwoGateways.start(["--endpoints", etcd.urls.join(",")]);
    first = await PatroniNode.create("first", readable, directory, gateways.urls);
    second = await PatroniNode.create("second", readable, directory, gateways.urls);
    observer = new Observer({ url: etcd.urls[0], api: "v3" }, [first, second]);
  }, STEP_LIMIT_MS);
  afterAll(async () => {
    await observer?.stop();
    await Promise.all([first, second].map((node) => node?.kill()));
    await gateways?.[Symbol.asyncDispose]();
    await etcd?.stop();
    if (directory) rmSync(directory, { recursive: true, force: true });
  }, STEP_LIMIT_MS);

  const step = (name: string, run: () => Promise<void>): void =>
    it(
      name,
      async ({ skip }) => {
        if (hasFailed) skip("an earlier step failed");
        onTestFailed(() => {
          hasFailed = true;
          console.error(`${first.log}\n---\n${second.log}`);
        });
        const began = performance.now();
        await run();
        console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
        expect(observer.problems).toEqual([]);
      },
      STEP_LIMIT_MS,
    );

  /** Waits until `leader` is the leader in the view of both, with the other as a streaming replica. */
  const settled = async (leader: PatroniNode, replica: PatroniNode): Promise<void> => {
    const isSettled = async (viewer: PatroniNode): Promise<boolean> => {
      const members = await viewer.members();
      const [leading, following] = [members.get(leader.name), members.get(replica.name)];
      return leading?.role === "leader" && following?.state === "streaming";
    };
    await until(async () => (await isSettled(leader)) && (await isSettled(replica)));
  };

  const renewed = async (times: number): Promise<void> => {
    const wanted = observer.events.length + times;
    await until(() => observer.events.length >= wanted);
  };

  step("elects a leader, which the other one follows", async () => {
    first.start();
    await until(async () => (await first.members()).get("first")?.role === "leader");
    second.start();
    await settled(first, second);
    await first.query("create table t (step text)");
    await first.query("insert into t values ('first')");
  });

  step("keeps its leader when each gateway is killed once", async () => {
    await gateways.killInTurn(() => renewed(RENEWALS));
    await settled(first, second);
    expect(observer.leaders).toEqual(["first"]);
  });

  step("switches over while a gateway is killed", async () => {
    const switchover = ["switchover", SCOPE, "--leader", "first", "--candidate", "second"];
    const done = first.patronictl(...switchover, "--force");
    await gateways.kill(gateways.urls[0]);
    await done;
    await settled(second, first);
    await second.query("insert into t values ('second')");
    expect(observer.leaders.at(-1)).toBe("second");
    await gateways.start(gateways.urls[0]);
  });

  step("fails over when the leader dies together with a gateway", async () => {
    await Promise.all([second.kill(), gateways.kill(gateways.urls[1])]);
    const died = performance.now();
    await until(async () => (await first.isPrimary()) === true);
    expect(observer.leaders.at(-1)).toBe("first");
    const expiry = observer.events.find(({ action, at }) => action === "expire" && at > died);
    expect(expiry).toBeDefined();
    expect(await first.query("select step from t order by step")).toBe("first\nsecond");
  });

  step("takes the dead node back as a replica", async () => {
    await gateways.start(gateways.urls[1]);
    second.start();
    await settled(first, second);
    expect(await second.query("select count(*) from t")).toBe("2");
  });

  step("stops, and never had two leaders", async () => {
    await second.stop();
    await first.stop();
    await observer.stop();
    expect(observer.leaders.filter((leader) => leader !== undefined)).toEqual([
      ...["first", "second", "first"],
    ]);
    expect(observer.samples).toBeGreaterThan(0);
  });
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await delay(POLL_EVERY_MS);
}
