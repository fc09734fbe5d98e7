import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { TurnScheduler } from "./turn-scheduler.js";

it("gives one turn in each turn of the event loop, first come, first served", async () => {
  const turns = new TurnScheduler();
  const done: string[] = [];
  const work = async (name: string): Promise<void> => {
    for (let portion = 1; portion <= 2; portion++) {
      await turns.next();
      done.push(`${name}${portion}`);
    }
  };
  const all = Promise.all(["a", "b", "c"].map(work));
  for (let count = 1; count <= 6; count++) {
    await setImmediate();
    expect(done.length).toBeLessThanOrEqual(count + 1);
  }
  await all;
  expect(done).toEqual(["a1", "b1", "c1", "a2", "b2", "c2"]);
});

it("does not let who comes alone wait", async () => {
  const turns = new TurnScheduler();
  let isDone = false;
  void turns.next().then(() => {
    isDone = true;
  });
  await Promise.resolve();
  expect(isDone).toBe(true);
});
