import { expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { UnauthorizedError } from "../../errors/common-errors.js";
import { AttemptFailure } from "../../wire/attempt-failure.js";
import { problemOf } from "./member-state.js";
import { Readiness, TOLERANCE_MS } from "./readiness.js";

const REFUSED = new AttemptFailure("no", new Error("connect ECONNREFUSED 10.0.0.1:2379"));

/** Two members whose responses the test decides. */
function members() {
  let state: "up" | "one hangs" | "all hang" | "down" | "unknown" = "up";
  const reads: number[] = [];
  const clock = new SimulatedClock();
  const endpoints = async (): Promise<readonly string[]> => {
    reads.push(clock.monotonic());
    if (state === "unknown") throw new Error("no such host");
    return ["http://a:1", "http://b:1"];
  };
  const readFrom = async (endpoint: string, signal: AbortSignal): Promise<number> => {
    const hangs = state === "all hang" || (state === "one hangs" && endpoint === "http://a:1");
    if (state === "down") throw REFUSED;
    if (!hangs) return 1;
    return await new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(new DOMException("late", "AbortError"))),
    );
  };
  return {
    clock,
    readiness: new Readiness({ endpoints, readFrom }, clock),
    become: (next: typeof state) => {
      state = next;
    },
    reads,
  };
}

it("a flood of checks shares one read per second", async () => {
  const { clock, readiness, reads } = members();
  for (let round = 0; round < 3; round++) {
    const checks = Array.from({ length: 1000 }, () => readiness.check());
    expect(new Set(await Promise.all(checks))).toEqual(new Set([undefined]));
    expect(await readiness.check()).toBeUndefined();
    clock.advance(1_000);
  }
  expect(reads).toHaveLength(3);
});

it("is not ready before a member has served a read, and does not wait for members that hang", async () => {
  const { clock, readiness, become } = members();
  become("all hang");
  const check = readiness.check();
  await clock.pass(500);
  expect(await check).toBe("no member has responded yet");
  become("up");
  await clock.pass(2_500);
  expect(await readiness.check()).toBeUndefined();
  await clock.pass(0);
  expect(clock.pending).toBe(0);
});

it("is ready at once while one member serves reads and another hangs", async () => {
  const { clock, readiness, become } = members();
  become("one hangs");
  expect(await readiness.check()).toBeUndefined();
  await clock.pass(2_000);
  expect(readiness.members.map(({ error }) => error?.name)).toEqual(["AbortError", undefined]);
});

it("stays ready until reads have failed for ten seconds, and recovers with the next read", async () => {
  const { clock, readiness, become } = members();
  expect(await readiness.check()).toBeUndefined();
  await clock.pass(0);
  // Without a check nothing is known, so a long time without checks is no failure.
  clock.advance(60_000);
  become("down");
  expect(await readiness.check()).toBeUndefined();
  clock.advance(TOLERANCE_MS - 1);
  expect(await readiness.check()).toBeUndefined();
  clock.advance(1_000);
  expect(await readiness.check()).toBe("no etcd member serves reads: 2 of 2 could not be reached");
  become("unknown");
  clock.advance(1_000);
  expect(await readiness.check()).toBe("the members are not known");
  become("up");
  clock.advance(1_000);
  expect(await readiness.check()).toBeUndefined();
});

it("counts the problems of the members without texts of the network", () => {
  const error = new UnauthorizedError({
    ...{ operation: "GET /readyz", errorCode: 110, reason: "secret", detail: "secret", index: 0 },
    ...{ key: "/", endpoint: "http://secret:1", status: 401 },
  });
  const states = [error, error, REFUSED].map((each) => ({
    endpoint: "http://secret:1",
    error: each,
  }));
  expect(problemOf(states)).toBe(
    "no etcd member serves reads: 2 of 3 refused the user of the gateway, 1 of 3 could not be reached",
  );
});
