import { describe, expect, it } from "vitest";
import { checkCounter } from "./counter.js";
import { historyOf, type Step } from "./history-of.js";
import { checkInOrder } from "./in-order.js";
import { checkRegisters } from "./register.js";

const messages = (violations: readonly { readonly message: string }[]): readonly string[] =>
  violations.map(({ message }) => message);

describe("registers", () => {
  const check = (...steps: Step[]) => messages(checkRegisters(historyOf(steps)));
  const write = (value: string, index: number): Step => ({
    kind: "write",
    input: value,
    output: index,
  });
  const read = (value: string, index: number): Step => ({ kind: "read", output: { value, index } });

  it("may show what was written, also by an unknown write", () => {
    const unknown = { kind: "cas", input: { from: "a", to: "b" }, outcome: "unknown" } as const;
    const refused = { kind: "cas", input: { from: "a", to: "c" }, output: "different" } as const;
    const list = { kind: "list", output: { "/key": { value: "b", index: 2 } } };
    expect(check(write("a", 1), unknown, read("b", 2), refused, list)).toEqual([]);
  });

  it("may show an old value in a local read", () => {
    const local = { kind: "readLocal", output: { value: "a", index: 1 } };
    expect(check(write("a", 1), write("b", 2), local)).toEqual([]);
  });

  it("never show a value that nobody wrote", () => {
    const failed = { kind: "write", input: "a", outcome: "failed" } as const;
    const local = { kind: "readLocal", output: { value: "a", index: 1 } };
    const refused = { kind: "cas", input: { from: "x", to: "b" }, output: "absent" };
    expect(check(failed, local, refused, read("b", 2))).toEqual([
      "shows a, which nobody has written",
      "shows b, which nobody has written",
    ]);
  });

  it("never show a value before it is written", () => {
    const early: Step = { kind: "readLocal", output: { value: "a", index: 1 }, at: [1, 2] };
    expect(check(early, { ...write("a", 1), at: [3, 4] })).toEqual([
      "shows a before it was written",
    ]);
  });

  it("have one index for one write", () => {
    expect(check(write("a", 1), read("a", 3))).toEqual(["a has the indexes 1 and 3"]);
  });

  it("never show an older state in a linearizable read, also in the last list", () => {
    const list = { kind: "list", output: { "/key": { value: "a", index: 1 } } };
    expect(check(write("a", 1), write("b", 2), list)).toEqual(["index 1 after index 2"]);
    const concurrent: Step = { ...read("a", 1), at: [3, 9] };
    expect(check(write("a", 1), concurrent, { ...write("b", 2), at: [4, 5] })).toEqual([]);
  });
});

describe("a counter", () => {
  const check = (...steps: Step[]) => messages(checkCounter(historyOf(steps)));
  const increment = (input: number): Step => ({ kind: "increment", input, output: 7 });
  const read = (output: number): Step => ({ kind: "read", output });
  const unknown: Step = { ...increment(1), outcome: "unknown" };

  it("is between the acknowledged increments and the possible ones", () => {
    expect(check(increment(0), unknown, read(1), read(2))).toEqual([]);
    expect(check({ ...increment(0), at: [1, 5] }, { ...read(1), at: [2, 3] })).toEqual([]);
  });

  it("loses no increment and invents none", () => {
    const failed: Step = { ...increment(1), outcome: "failed" };
    expect(check(increment(0), increment(1), read(1))).toEqual(["the counter is 1, not 2 to 2"]);
    expect(check(increment(0), failed, read(2))).toEqual(["the counter is 2, not 1 to 1"]);
  });

  it("does not replace a number twice", () => {
    expect(check(increment(0), increment(0))).toEqual(["two increments of 0"]);
  });
});

describe("in-order keys", () => {
  const check = (...steps: Step[]) => messages(checkInOrder(historyOf(steps)));
  const create = (input: string, name: number): Step => ({
    kind: "create",
    input,
    output: `/d/${name}`,
  });
  const list = (...items: [string, number][]): Step => ({
    kind: "list",
    output: items.map(([value, name]) => ({ key: `/d/${name}`, value })),
  });
  const unknown: Step = { ...create("b", 2), outcome: "unknown" };

  it("hold acknowledged items once, and unknown ones at most once", () => {
    expect(check(create("a", 1), unknown, list(["a", 1]))).toEqual([]);
    expect(check(create("a", 1), unknown, list(["a", 1], ["b", 2]))).toEqual([]);
  });

  it("are not created twice, lost or invented", () => {
    expect(check(unknown, list(["b", 2], ["b", 3]))).toEqual(["b was created 2 times"]);
    expect(check(create("a", 1), list())).toEqual(["a was created at /d/1 and is lost"]);
    const failed: Step = { ...create("b", 2), outcome: "failed" };
    expect(check(failed, list(["b", 2]))).toEqual(["lists b, which nobody has created"]);
  });

  it("increase, unless they are created at the same time", () => {
    expect(check(create("a", 10), create("b", 9))).toEqual(["key 9 was created after key 10"]);
    expect(check({ ...create("a", 10), at: [1, 3] }, { ...create("b", 9), at: [2, 4] })).toEqual(
      [],
    );
  });
});
