import { expect, it, vi } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { AbortError } from "../errors/abort-error.js";
import { BackOff } from "./back-off.js";
import { systemClock } from "./clock.js";
import { type RetryOptions, retry } from "./retry.js";

class Transient extends Error {}

function optionsWith(options: Partial<RetryOptions> = {}): RetryOptions {
  return {
    clock: systemClock,
    signal: undefined,
    backOff: BackOff.constant(0),
    isTransient: (error) => error instanceof Transient,
    ...options,
  };
}

/** A task that fails with each of these errors, then succeeds. */
function taskFailing(...errors: readonly Error[]) {
  const left = [...errors];
  return vi.fn(async () => {
    const error = left.shift();
    if (error !== undefined) throw error;
    return "done";
  });
}

it("tries again until the task succeeds", async () => {
  const task = taskFailing(new Transient(), new Transient());
  expect(await retry(task, optionsWith())).toBe("done");
  expect(task).toHaveBeenCalledTimes(3);
});

it("does not try again after another error", async () => {
  const task = taskFailing(new Transient(), new TypeError("a mistake"));
  await expect(retry(task, optionsWith())).rejects.toThrow(TypeError);
  expect(task).toHaveBeenCalledTimes(2);
});

it("throws the error of the last attempt", async () => {
  const last = new Transient();
  const task = taskFailing(new Transient(), last, new Transient());
  await expect(retry(task, optionsWith({ maxAttempts: 2 }))).rejects.toBe(last);
});

it("waits between the attempts, longer each time", async () => {
  vi.spyOn(Math, "random").mockReturnValue(1);
  const clock = new SimulatedClock();
  const task = taskFailing(new Transient(), new Transient());
  const result = retry(task, optionsWith({ clock, backOff: BackOff.short }));
  for (const [delayMs, calls] of [
    [499, 1],
    [1, 2],
    [999, 2],
    [1, 3],
  ] as const) {
    await vi.waitFor(() => expect(clock.pending).toBe(1), { timeout: 60_000 });
    clock.advance(delayMs);
    await vi.waitFor(() => expect(task).toHaveBeenCalledTimes(calls), { timeout: 60_000 });
  }
  expect(await result).toBe("done");
  vi.restoreAllMocks();
});

it("ends when the signal aborts while it waits", async () => {
  const aborting = new AbortController();
  const task = taskFailing(new Transient());
  const options = optionsWith({ signal: aborting.signal, backOff: BackOff.constant(400) });
  const result = retry(task, options);
  await vi.waitFor(() => expect(task).toHaveBeenCalled(), { timeout: 60_000 });
  aborting.abort();
  await expect(result).rejects.toThrow(AbortError);
  expect(task).toHaveBeenCalledTimes(1);
});
