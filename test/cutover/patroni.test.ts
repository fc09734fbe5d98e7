/**
 * Two Patroni nodes with PostgreSQL that are switched from etcd 3.5 with v2 to etcd 3.7, return, and are switched again. It
 * takes minutes, because Patroni's smallest TTL is 20 s: `npm run applications` runs it.
 */

import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFailed, onTestFinished } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import {
  installPatroni,
  PATRONI_VERSION,
  type Patroni,
  withReadablePackages,
} from "../applications/patroni/install.js";
import { LeaderProbe } from "../applications/patroni/leader-probe.js";
import { PatroniNode } from "../applications/patroni/node.js";
import { Observer } from "../applications/patroni/observer.js";
import { TwoGateways } from "../applications/two-gateways.js";
import { isMissing, skipVisibly } from "../foreign/missing.js";
import { Cli } from "../support/cli-process.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";

const NAME = `Patroni ${PATRONI_VERSION}`;
/** Renewals of the leader's key, one in each loop of Patroni. */
const RENEWALS = 12;
/** Long enough for a busy machine. */
const HOLD = "10s";

const isLong = process.env.ETCDNET_APPLICATIONS === "long";
const patroni = isLong
  ? installPatroni()
  : { missing: "it takes minutes; `npm run applications` runs it" };

if (isMissing(patroni)) skipVisibly(NAME, patroni.missing);
else {
  describeWithEtcd("3.7", `${NAME}, switched from v2 to v3, back, and again`, () => {
    it("keeps its leader, and fails over afterwards", () => tellStory(patroni));
  });
}

async function tellStory(patroni: Patroni): Promise<void> {
  buildIfStale();
  const keep = <T extends AsyncDisposable>(resource: T): T => {
    onTestFinished(() => resource[Symbol.asyncDispose]());
    return resource;
  };
  const directory = mkdtempSync(join(tmpdir(), "patroni-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  if (patroni.user) chownSync(directory, patroni.user.uid, patroni.user.gid);
  const readable = withReadablePackages(patroni, directory);
  const old = keep(await startEtcd({ release: "3.5", members: 3 }));
  const next = keep(await startEtcd({ release: "3.7" }));
  const clusters = ["--source", old.urls.join(","), "--endpoints", next.urls.join(",")];
  const gateways = keep(await TwoGateways.start(clusters));
  const cutover = async (...args: readonly string[]): Promise<void> => {
    await using cli = new Cli("cutover", ...args, ...clusters);
    expect(await cli.exit, cli.stderr).toBe(0);
  };
  const create = async (name: string): Promise<PatroniNode> => {
    const node = await PatroniNode.create(name, readable, directory, gateways.urls);
    onTestFinished(() => node.kill());
    onTestFailed(() => console.error(node.log));
    return node;
  };
  const [first, second] = [await create("first"), await create("second")];
  const roleOf = async (name: string) => (await first.members()).get(name)?.role;
  const arm = ["arm", "--gateways", "2", "--hold", HOLD];
  const timeline = "select timeline_id from pg_control_checkpoint()";

  first.start();
  await expect.poll(() => roleOf("first")).toBe("leader");
  second.start();
  await expect.poll(async () => (await first.members()).get("second")?.state).toBe("streaming");
  await first.query("create table t (step text)");
  const observe = (etcd: { readonly url: string; readonly api: "v2" | "v3" }): Observer => {
    const observer = new Observer(etcd, [first, second]);
    onTestFinished(() => observer.stop());
    return observer;
  };
  /** Waits until the leader has renewed its key for a while. @returns who observes it */
  const keepsLeader = async (etcd: { readonly url: string; readonly api: "v2" | "v3" }) => {
    const observer = observe(etcd);
    await expect.poll(() => observer.events.length).toBeGreaterThan(RENEWALS);
    expect(observer.leaders).toEqual(["first"]);
    // Otherwise it has created the key again.
    expect(new Set(observer.events.map(({ action }) => action))).toEqual(
      new Set(["compareAndSwap"]),
    );
    expect([await roleOf("first"), await first.query(timeline)]).toEqual(["leader", "1"]);
    return observer;
  };
  const seen = new LeaderProbe(gateways.urls);
  onTestFinished(() => seen.stop());
  const [onV2, onV3] = [
    { url: old.urls[0], api: "v2" },
    { url: next.urls[0], api: "v3" },
  ] as const;
  await cutover(...arm);
  await cutover("rehearse");
  await cutover("flip");
  const switched = await keepsLeader(onV3);
  await switched.stop();
  await cutover("back");
  const returned = await keepsLeader(onV2);
  await returned.stop();
  await cutover(...arm);
  await cutover("flip");
  const observer = await keepsLeader(onV3);
  await seen.stop();
  expect([...seen.answers]).toEqual(["first"]);
  expect(seen.samples).toBeGreaterThan(100);
  await old.stop();

  await first.query("insert into t values ('first')");
  await first.kill();
  await expect.poll(() => second.isPrimary()).toBe(true);
  expect(await second.query("select step from t")).toBe("first");
  expect(observer.leaders.filter((leader) => leader !== undefined)).toEqual(["first", "second"]);
  const problems = [switched, returned, observer].flatMap((each) => each.problems);
  expect(problems).toEqual([]);
}
