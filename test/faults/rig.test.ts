import { expect, it } from "vitest";
import { availabilityOf, clientsWithoutSuccess, tableOf } from "./availability.js";
import { scheduleOf } from "./schedule.js";
import type { Operation } from "./workload.js";

const nemeses = [
  { name: "short", lastsMs: [500, 1_000] },
  { name: "long", lastsMs: [5_000, 6_000] },
] as const;

it("the seed determines the schedule", () => {
  const settings = { seed: 7, durationMs: 60_000, lanes: 2 };
  const schedule = scheduleOf(nemeses, settings);
  expect(scheduleOf(nemeses, settings)).toEqual(schedule);
  expect(scheduleOf(nemeses, { ...settings, seed: 8 })).not.toEqual(schedule);
});

it("the turns of a lane do not overlap, and every nemesis has one before one has two", () => {
  const schedule = scheduleOf(nemeses, { seed: 7, durationMs: 60_000, lanes: 2 });
  for (const lane of [0, 1]) {
    const turns = schedule.filter((turn) => turn.lane === lane);
    expect(turns.length).toBeGreaterThan(4);
    for (const [at, turn] of turns.entries()) {
      const end = turn.atMs + turn.lastsMs;
      expect(end).toBeLessThan(turns[at + 1]?.atMs ?? 60_000);
      const pair = turns.slice(at - (at % 2), at - (at % 2) + 2);
      expect(new Set(pair.map(({ nemesis }) => nemesis)).size).toBe(pair.length);
    }
  }
});

const operation = (
  invokedAt: number,
  completedAt: number,
  kind: string,
  outcome: Operation["outcome"],
  error?: string,
): Operation => ({
  workload: "w",
  client: 1,
  kind,
  key: "/a",
  outcome,
  invokedAt: invokedAt * 1e9,
  completedAt: completedAt * 1e9,
  ...(error !== undefined && { error }),
});

it("the table counts what began while a nemesis was active", () => {
  const history = [
    operation(1, 2, "write", "ok"),
    operation(11, 12, "write", "ok"),
    operation(13, 14, "read", "failed"),
    operation(14, 15, "write", "unknown"),
    operation(15, 16, "acquire", "ok"),
    operation(16, 16, "event", "ok"),
    operation(21, 22, "cas", "failed", "TestFailedError: … [etcd error 101]"),
    operation(25, 26, "write", "ok"),
  ];
  const active = [{ nemesis: "kill", from: 10e9, to: 24e9 }];
  expect(availabilityOf(history, active)).toEqual([
    {
      nemesis: "kill",
      turns: 1,
      reads: { all: 1, succeeded: 0 },
      writes: { all: 3, succeeded: 2 },
      unknown: 1,
      longestGapMs: 9_000,
    },
  ]);
  const table = tableOf(availabilityOf(history, active).map((row) => ({ system: "v3", ...row })));
  expect(table.split("\n")[2]).toBe("| v3 | `kill` | 1 | 0.0 % of 1 | 66.7 % of 3 | 1 | 9.0 s |");
});

it("names the clients that had no success in a time", () => {
  const of = (client: number, from: number, to: number, outcome: Operation["outcome"]) => ({
    ...operation(from, to, "write", outcome),
    client,
  });
  const history = [
    of(1, 9, 11, "ok"),
    of(1, 11, 19, "unknown"),
    of(1, 19, 21, "ok"),
    of(2, 11, 12, "ok"),
  ];
  expect(clientsWithoutSuccess(history, { from: 10e9, to: 20e9 })).toEqual([1]);
});
