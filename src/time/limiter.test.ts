import { expect, it } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { Limiter } from "./limiter.js";

/** Tasks that the test ends. */
function tasks(limit: number) {
  const clock = new SimulatedClock();
  const limiter = new Limiter({ places: limit, hold: 500, clock });
  const started: number[] = [];
  const ends = new Map<number, () => void>();
  const run = (name: number, signal?: AbortSignal): Promise<number> =>
    limiter.run(
      () =>
        new Promise((resolve, reject) => {
          started.push(name);
          if (signal?.aborted === true) reject(signal.reason);
          ends.set(name, () => (name < 0 ? reject(new Error("failed")) : resolve(name)));
        }),
      signal,
    );
  return { run, started, clock, end: (name: number) => ends.get(name)?.() };
}

/** Lets everything run that does not wait for the test. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

it("runs a limited number of tasks, the others in the order of their calls", async () => {
  const { run, started, end } = tasks(2);
  const results = [1, 2, 3, 4].map((name) => run(name));
  await settle();
  expect(started).toEqual([1, 2]);
  end(2);
  await settle();
  expect(started).toEqual([1, 2, 3]);
  for (const name of [1, 3]) end(name);
  await settle();
  end(4);
  expect(await Promise.all(results)).toEqual([1, 2, 3, 4]);
});

it("never runs more, also when a call comes as a task ends", async () => {
  const { run, started, end } = tasks(1);
  const [first, second] = [run(1), run(2)];
  end(1);
  await first.then(() => void run(3));
  await settle();
  expect(started).toEqual([1, 2]);
  end(2);
  await second;
  await settle();
  expect(started).toEqual([1, 2, 3]);
});

it("a task that takes long gives its place to the next one, once", async () => {
  const { run, started, clock, end } = tasks(1);
  const results = [1, 2, 3].map((name) => run(name));
  clock.advance(499);
  await settle();
  expect(started).toEqual([1]);
  clock.advance(1);
  await settle();
  end(1);
  await settle();
  expect(started).toEqual([1, 2]);
  end(2);
  await settle();
  end(3);
  expect(await Promise.all(results)).toEqual([1, 2, 3]);
  expect(clock.pending).toBe(0);
});

it("a failed task gives its place to the next", async () => {
  const { run, started, end } = tasks(1);
  const failed = run(-1);
  const next = run(2);
  end(-1);
  await expect(failed).rejects.toThrow("failed");
  end(2);
  expect(await next).toBe(2);
  expect(started).toEqual([-1, 2]);
});

it("a task that waits starts at once when its signal aborts, and takes no place", async () => {
  const { run, started, end } = tasks(1);
  const aborter = new AbortController();
  const first = run(1);
  const aborted = run(2, aborter.signal);
  const third = run(3, aborter.signal);
  const last = run(4);
  aborter.abort(new Error("aborted"));
  await expect(Promise.all([aborted, third])).rejects.toThrow("aborted");
  await expect(run(5, aborter.signal)).rejects.toThrow("aborted");
  expect(started).toEqual([1, 2, 3, 5]);
  end(1);
  await first;
  await settle();
  end(4);
  expect(await last).toBe(4);
});
