/** Whatever happens to requests and processes: what the recipes promise, in many random lives. */

import { describe, expect, test, vi } from "vitest";
import { type Fate, Stage, type StageProcess } from "../../test/recipes/stage.js";
import { randomFrom } from "../../test/support/random-from.js";
import { ClusterUnavailableError } from "../errors/cluster-errors.js";
import { Lock } from "./lock/lock.js";
import type { LockHandle } from "./lock/lock-handle.js";
import { Queue } from "./queue/queue.js";
import type { QueueItem } from "./queue/queue-item.js";

vi.setConfig({ testTimeout: 30_000 });

const LIVES = Array.from({ length: 15 }, (_, seed) => seed + 1);
const STEPS = 120;
const WORKERS = 4;
/** Milliseconds of a step, at most. */
const STEP = 1_500;

/** Trouble on the way of one request in four. */
function troubleFrom(random: () => number, stage: Stage): () => Fate | undefined {
  return () => {
    const luck = random();
    if (luck < 0.05) return "response lost";
    if (luck < 0.1) return "request lost";
    if (luck < 0.15) return { fail: new ClusterUnavailableError("…", []) };
    if (luck < 0.2) return { respondAfter: random() * 5_000 };
    if (luck > 0.25) return undefined;
    const arriveWhen = new Promise<void>((resolve) =>
      stage.clock.after(random() * 15_000, resolve),
    );
    return { arriveWhen };
  };
}

interface Worker {
  readonly process: StageProcess;
  readonly lock: Lock;
  held: LockHandle | undefined;
  waiting: AbortController | undefined;
  paused: boolean;
}

/** Begins to wait, gives up waiting, releases, stands still or wakes. */
async function act(worker: Worker, random: () => number): Promise<void> {
  if (random() < 0.15) worker.paused = !worker.paused;
  if (worker.paused) return;
  if (worker.held !== undefined) {
    if (random() < 0.3) void worker.held.release().catch(() => {});
    else return;
    worker.held = undefined;
  } else if (worker.waiting === undefined) {
    const caller = new AbortController();
    worker.waiting = caller;
    const done = (): unknown => (worker.waiting = undefined);
    worker.lock
      .acquire({ signal: caller.signal })
      .then((held) => {
        worker.held = held;
      })
      .catch(() => {})
      .finally(done);
  } else if (random() < 0.1) worker.waiting.abort();
}

describe("a lock", () => {
  test.each(LIVES)(
    "is never proven to be held by two, and is free in the end (life %i)",
    async (seed) => {
      const random = randomFrom(seed);
      const stage = new Stage();
      const workers = Array.from({ length: WORKERS }, (): Worker => {
        const process = stage.process();
        process.way.fate = troubleFrom(random, stage);
        const lock = new Lock(process.etcd, "/lock");
        return { process, lock, held: undefined, waiting: undefined, paused: false };
      });
      const tokens: number[] = [];
      for (let step = 0; step < STEPS; step++) {
        for (const worker of workers) await act(worker, random);
        const paused = workers.filter((worker) => worker.paused).map(({ process }) => process);
        await stage.pass(random() * STEP, ...paused);
        const held = workers.flatMap(({ held }) =>
          held !== undefined && isHeld(held) ? [held] : [],
        );
        expect(held.length).toBeLessThanOrEqual(1);
        tokens.push(...held.map(({ fencingToken }) => fencingToken));
      }
      expect(new Set(tokens).size).toBeGreaterThan(0);
      expect(tokens).toEqual([...tokens].sort((a, b) => a - b));

      for (const { process, held, waiting } of workers) {
        process.way.fate = () => undefined;
        waiting?.abort();
        void held?.release();
      }
      await stage.pass(30_000);
      const last = stage.process();
      const held = await new Lock(last.etcd, "/lock").acquire();
      expect(held.fencingToken).toBeGreaterThan(Math.max(...tokens));
      await held.release();
      await stage.pass(1_000);
      expect(await stage.list("/lock")).toEqual({});
      expect(stage.leftovers).toBe(0);
    },
  );
});

/** Asks as the process would that holds it, whose clocks have moved on while it was paused. */
function isHeld(held: LockHandle | QueueItem): boolean {
  try {
    held.assertHeld();
    return true;
  } catch {
    return false;
  }
}

describe("a queue", () => {
  test.each(LIVES)("delivers each item, and none to two at a time (life %i)", async (seed) => {
    const random = randomFrom(seed);
    const stage = new Stage();
    const producer = new Queue(stage.process().etcd, "/queue");
    const count = 30;
    for (let item = 0; item < count; item++) await producer.enqueue(`${item}`);
    const taken: QueueItem[] = [];
    const paused = new Set<StageProcess>();
    const remaining = async (): Promise<number> => Object.keys(await stage.list("/queue")).length;
    let done = false;
    const consume = async (process: StageProcess): Promise<void> => {
      const queue = new Queue(process.etcd, "/queue", { visibilityTimeout: 10 });
      const spend = (milliseconds: number): Promise<void> =>
        new Promise((resolve) => process.clock.after(milliseconds, resolve));
      while (!done) {
        try {
          await using item = await queue.take({ timeout: 30_000 });
          taken.push(item);
          await spend(random() * 5_000);
          if (random() < 0.8) await item.acknowledge();
        } catch {
          await spend(100);
        }
      }
      await queue.close();
    };
    const processes = Array.from({ length: WORKERS }, () => stage.process());
    const consumers = processes.map((process) => {
      process.way.fate = troubleFrom(random, stage);
      return consume(process);
    });
    for (let step = 0; step < 3_000 && (await remaining()) > 0; step++) {
      for (const process of processes) {
        if (random() < 0.05 && !paused.delete(process)) paused.add(process);
      }
      await stage.pass(random() * STEP, ...paused);
      const held = taken.filter(isHeld).map(({ key }) => key);
      expect(held).toEqual([...new Set(held)]);
    }
    const values = new Set(taken.map(({ value }) => Number(value)));
    expect([...values].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at));
    done = true;
    for (const process of processes) process.way.fate = () => undefined;
    await stage.pass(60_000);
    await Promise.all(consumers);
    await stage.pass(15_000);
    expect(await stage.list("/queue")).toEqual({});
    expect(await stage.list("/queue/_claims")).toEqual({});
    expect(stage.leftovers).toBe(0);
  });
});
