import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FencedResource, type Use } from "./fenced-resource.js";
import { RecipeProcess, type Told } from "./recipe-process.js";

/** Seconds; longer than an election takes. */
const TTL = 3;
const PROCESSES = 5;
const CONTENDERS = 4;

describeWithEtcd("3.4", "a lock on three members", () => {
  let cluster: EtcdCluster;

  beforeAll(async () => {
    buildIfStale();
    cluster = await startEtcd({ release: "3.4", members: 3 });
  });

  afterAll(async () => {
    await cluster?.stop();
  });

  test.concurrent("20 contenders in 5 processes, while members die and everybody is paused", async () => {
    await using resource = await FencedResource.start();
    const args = [cluster.urls.join(), "v2", resource.url, `${TTL}`, `${CONTENDERS}`];
    const start = (): RecipeProcess => new RecipeProcess("contender.mjs", ...args);
    const processes = Array.from({ length: PROCESSES }, start);
    try {
      const chaos = [hurtMembers(cluster), pauseHolders(processes, resource)] as const;
      const [, paused] = await Promise.all(chaos);
      await untilAllHaveHeld(processes);
      await Promise.all(processes.map((process) => process.end()));
      const told = processes.flatMap((process) => process.told);
      report(told, resource.uses);

      expect(tokensOfTwo(told)).toEqual([]);
      const accepted = resource.uses.filter((use) => use.accepted).map(({ token }) => token);
      expect(accepted).toEqual([...accepted].sort((a, b) => a - b));
      for (const refused of told.filter(({ event }) => event === "refused")) {
        expect(refused).toMatchObject({ aborted: true });
      }
      for (const lost of told.filter(({ event }) => event === "lost")) {
        expect(lost).toMatchObject({
          aborted: true,
          reason: expect.stringMatching(/^(unconfirmed|gone)$/),
        });
      }
      expect(paused.length).toBeGreaterThanOrEqual(3);
      for (const token of paused) {
        const end = told.find((one) => one.token === token && one.event !== "held");
        expect(end).toMatchObject({ event: expect.stringMatching(/^(lost|refused)$/) });
      }
    } finally {
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
    }
  }, 120_000);

  test.concurrent("a holder paused past its TTL fails at its first question, before any timer runs", async () => {
    // Not one of the three members, which are hurt meanwhile.
    await using etcd = await startEtcd({ release: "3.4" });
    await using sleeper = new RecipeProcess("sleeper.mjs", etcd.urls.join(), `${TTL}`);
    await sleeper.until(({ event }) => event === "held");
    sleeper.pause();
    await delay(TTL * 1000 + 500);
    sleeper.resume();
    const lost = await sleeper.until(({ event }) => event === "lost");
    expect(lost).toMatchObject({
      ...{ reason: "unconfirmed", abortedBefore: false, abortedAfter: true },
    });
    // It stood still between the last good answer and the first bad one: nothing came in between.
    expect(lost.gap).toBeGreaterThan(2_000);
  });
});

/** Members die and come back, and stand still, one at a time. */
async function hurtMembers({ members }: EtcdCluster): Promise<void> {
  for (const [at, member] of [...members, ...members].entries()) {
    await delay(1_000);
    if (at % 2 === 0) await member.kill();
    else member.pause();
    await delay(1_500);
    if (at % 2 === 0) await member.start();
    else member.resume();
  }
}

/** Pauses a process while it holds, until another holds; three times. Tells the tokens. */
async function pauseHolders(
  processes: readonly RecipeProcess[],
  resource: FencedResource,
): Promise<readonly number[]> {
  const paused: number[] = [];
  while (paused.length < 3) {
    await delay(1_000);
    const token = await pauseHolder(processes, resource);
    if (token !== undefined) paused.push(token);
  }
  return paused;
}

/** Nothing when it was not the holder any more when it stood still. */
async function pauseHolder(
  processes: readonly RecipeProcess[],
  { uses }: FencedResource,
): Promise<number | undefined> {
  const before = uses.length;
  while (uses.length === before) await delay(1);
  const { pid, token = 0 } = uses.at(-1) ?? {};
  const holder = processes.find((process) => process.pid === pid);
  holder?.pause();
  await delay((TTL + 1) * 1000);
  const isOver = holder?.told.some((told) => told.token === token && told.event === "done");
  while (isOver !== true && !uses.some((use) => use.accepted && use.token > token)) await delay(10);
  holder?.resume();
  const end = await holder?.until((told) => told.token === token && told.event !== "held");
  return end?.event === "done" ? undefined : token;
}

async function untilAllHaveHeld(processes: readonly RecipeProcess[]): Promise<void> {
  for (const process of processes) {
    const holders = (): Set<unknown> =>
      new Set(process.told.filter(({ event }) => event === "held").map((told) => told.contender));
    await process.until(() => holders().size === CONTENDERS);
  }
}

/** Tokens that two contenders were given. */
function tokensOfTwo(told: readonly Told[]): readonly unknown[] {
  const tokens = told.filter(({ event }) => event === "held").map(({ token }) => token);
  return tokens.filter((token, at) => tokens.indexOf(token) !== at);
}

function report(told: readonly Told[], uses: readonly Use[]): void {
  const counts = new Map<string, number>();
  for (const { event, reason, name } of told) {
    const what = [event, reason, name].filter((part) => part !== undefined).join(" ");
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const refused = uses.filter((use) => !use.accepted).length;
  console.log(`lock: ${uses.length} uses, ${refused} refused;`, Object.fromEntries(counts));
}
