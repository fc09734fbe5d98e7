import { describe, expect, it } from "vitest";
import { EntryLog } from "./entry-log.js";

function entry(index: number, term = 1) {
  return { type: 0, index, term, data: Buffer.alloc(0), file: "1.wal", offset: 0 };
}

function logOf(start: number, ...entries: readonly (readonly [number, number])[]): EntryLog {
  const log = new EntryLog(start);
  for (const [index, term] of entries) log.add(entry(index, term));
  return log;
}

const positions = (entries: EntryLog["pending"]) => entries.map(({ index, term }) => [index, term]);

describe("EntryLog", () => {
  it("takes entries when they are committed", () => {
    const log = logOf(0, [1, 1], [2, 1], [3, 1]);
    expect(positions(log.take(2))).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(log.committed).toBe(2);
    expect(positions(log.take(1))).toEqual([]);
    expect(positions(log.pending)).toEqual([[3, 1]]);
  });

  it("replaces entries, and drops those behind them", () => {
    const log = logOf(0, [1, 1], [2, 1], [3, 1], [4, 1], [2, 2]);
    expect(positions(log.take(9))).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(log.committed).toBe(2);
  });

  it("ignores entries of the snapshot", () => {
    expect(positions(logOf(2, [1, 1], [2, 1], [3, 1]).pending)).toEqual([[3, 1]]);
  });

  it("refuses a log with gaps, replaced committed entries or falling terms", () => {
    expect(() => logOf(2, [4, 1])).toThrow("entry 3 is missing: entry 4 follows");
    expect(() => logOf(0, [1, 2], [2, 1])).toThrow("the term of entry 2 is 1, lower");
    const log = logOf(0, [1, 1], [2, 1]);
    log.take(2);
    expect(() => log.add(entry(2, 2))).toThrow("entry 2 was committed before, and is replaced");
  });
});
