import { expect, test } from "vitest";
import type { KeySpace } from "../../src/index.js";
import type { Clock } from "../../src/time/clock.js";
import { watchOnce } from "../../src/watch/watch-once.js";

/** Earliest time of a history scan, in milliseconds. */
const SCANS_AFTER = 20_000;

/** A clock on which only waiting takes time. It records all waits. */
class WaitingClock implements Clock {
  readonly waits: number[] = [];
  time = 0;
  now = () => this.time;
  monotonic = () => this.time;
  after(milliseconds: number, callback: () => void): () => void {
    // The history is empty.
    if (milliseconds > SCANS_AFTER) return () => {};
    this.waits.push(milliseconds);
    this.time += milliseconds;
    queueMicrotask(callback);
    return () => {};
  }
}

/** A key space whose watches end after these times without an event. The last one delivers an event. */
function keySpaceBehindProxy(clock: WaitingClock, standing: number, watches: number): KeySpace {
  const origin = { etcdServer: "", etcdClusterId: "1", etcdIndex: 4, raftIndex: 0, raftTerm: 0 };
  const node = { key: "/a", value: "x", createdIndex: 5, modifiedIndex: 5 };
  const execute: KeySpace["execute"] = () => Promise.reject(new Error("only watched"));
  return {
    execute,
    async openWatch() {
      watches--;
      const last = watches === 0;
      return {
        ...origin,
        provenIndex: 4,
        close: () => {},
        async *[Symbol.asyncIterator]() {
          clock.time += standing;
          if (last) yield { ...origin, action: "set" as const, node };
        },
      };
    },
    subscribe: () => expect.fail("only one event is watched"),
    close: async () => {},
  };
}

async function waitsOf(standing: number): Promise<readonly number[]> {
  const clock = new WaitingClock();
  const keySpace = keySpaceBehindProxy(clock, standing, 10);
  const source = { keySpace, clock };
  await watchOnce(source, { key: "/a" }, {});
  return clock.waits;
}

test("watches that end at once are reopened with a growing delay of at most 4 seconds", async () => {
  const longest = Math.max(...(await waitsOf(0)));
  expect(longest).toBeGreaterThanOrEqual(2_000);
  expect(longest).toBeLessThanOrEqual(4_000);
});

test("a watch that a proxy ends every minute is reopened at once", async () => {
  expect(Math.max(...(await waitsOf(60_000)))).toBeLessThanOrEqual(500);
});
