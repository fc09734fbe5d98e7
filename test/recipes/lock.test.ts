import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { FencedResource, type Use } from "./fenced-resource.js";
import { type ProgramMessage, RecipeProcess } from "./recipe-process.js";

/** Seconds. Longer than an election takes. */
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

  test.concurrent("excludes 20 contenders in 5 processes, while members are killed and members and processes are paused", async () => {
    await using resource = await FencedResource.start();
    const args = [cluster.urls.join(), "v2", resource.url, `${TTL}`, `${CONTENDERS}`];
    const start = (): RecipeProcess => new RecipeProcess("contender.mjs", ...args);
    const processes = Array.from({ length: PROCESSES }, start);
    try {
      const chaos = [disruptMembers(cluster), pauseHolders(processes, resource)] as const;
      const [, paused] = await Promise.all(chaos);
      await untilAllHaveHeld(processes);
      await Promise.all(processes.map((process) => process.end()));
      const messages = processes.flatMap((process) => process.messages);
      report(messages, resource.uses);

      expect(duplicateTokens(messages)).toEqual([]);
      const accepted = resource.uses.filter((use) => use.accepted).map(({ token }) => token);
      expect(accepted).toEqual([...accepted].sort((a, b) => a - b));
      for (const refused of messages.filter(({ event }) => event === "refused")) {
        expect(refused).toMatchObject({ aborted: true });
      }
      for (const lost of messages.filter(({ event }) => event === "lost")) {
        expect(lost).toMatchObject({
          aborted: true,
          reason: expect.stringMatching(/^(unconfirmed|gone)$/),
        });
      }
      expect(paused.length).toBeGreaterThanOrEqual(3);
      for (const token of paused) {
        const end = messages.find((one) => one.token === token && one.event !== "held");
        expect(end).toMatchObject({ event: expect.stringMatching(/^(lost|refused)$/) });
      }
    } finally {
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
    }
  });

  test.concurrent("a holder paused past its TTL fails at its first assertHeld(), before any timer runs", async () => {
    // Not one of the three members, which the other test kills and pauses.
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
    // The pause is between the last assertHeld() that succeeded and the first that failed.
    expect(lost.gap).toBeGreaterThan(2_000);
  });
});

/** Kills and restarts, or pauses and resumes, one member at a time. */
async function disruptMembers({ members }: EtcdCluster): Promise<void> {
  for (const [at, member] of [...members, ...members].entries()) {
    await delay(1_000);
    if (at % 2 === 0) await member.kill();
    else member.pause();
    await delay(1_500);
    if (at % 2 === 0) await member.start();
    else member.resume();
  }
}

/** Pauses a process that holds the lock until another one holds it, three times. @returns their tokens */
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

/** @returns undefined if the process had already released the lock when it was paused */
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
  const isOver = holder?.messages.some(
    (message) => message.token === token && message.event === "done",
  );
  while (isOver !== true && !uses.some((use) => use.accepted && use.token > token)) await delay(10);
  holder?.resume();
  const end = await holder?.until((message) => message.token === token && message.event !== "held");
  return end?.event === "done" ? undefined : token;
}

async function untilAllHaveHeld(processes: readonly RecipeProcess[]): Promise<void> {
  for (const process of processes) {
    const holders = (): Set<unknown> =>
      new Set(
        process.messages
          .filter(({ event }) => event === "held")
          .map((message) => message.contender),
      );
    await process.until(() => holders().size === CONTENDERS);
  }
}

/** Tokens that two contenders received. */
function duplicateTokens(messages: readonly ProgramMessage[]): readonly unknown[] {
  const tokens = messages.filter(({ event }) => event === "held").map(({ token }) => token);
  return tokens.filter((token, at) => tokens.indexOf(token) !== at);
}

function report(messages: readonly ProgramMessage[], uses: readonly Use[]): void {
  const counts = new Map<string, number>();
  for (const { event, reason, name } of messages) {
    const what = [event, reason, name].filter((part) => part !== undefined).join(" ");
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const refused = uses.filter((use) => !use.accepted).length;
  console.log(`lock: ${uses.length} uses, ${refused} refused;`, Object.fromEntries(counts));
}
