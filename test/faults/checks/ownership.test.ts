import { describe, expect, it } from "vitest";
import { checkElection } from "./election.js";
import { historyOf, type Step } from "./history-of.js";
import { checkLock } from "./lock.js";
import { checkQueue } from "./queue.js";

const messages = (violations: readonly { readonly message: string }[]): readonly string[] =>
  violations.map(({ message }) => message);
const hold = (owner: number | string): Step => ({ kind: "hold", input: owner });

describe("a lock", () => {
  const check = (...steps: Step[]) => messages(checkLock(historyOf(steps)));
  const acquire = (token: number): Step => ({ kind: "acquire", output: token });
  const write = (token: number, index: number | "refused"): Step => ({
    kind: "write",
    input: token,
    output: index,
  });

  it("has one holder after another, and the resource refuses late writes", () => {
    const lost: Step = { ...hold(1), outcome: "unknown" };
    const first = [acquire(1), hold(1), write(1, 10)];
    const second = [acquire(2), hold(2), write(2, 11)];
    expect(check(...first, ...second, lost, write(1, "refused"))).toEqual([]);
  });

  it("gives each holder a greater token", () => {
    expect(check(acquire(1), acquire(1))).toEqual(["two have token 1"]);
    expect(check(acquire(2), acquire(1))).toEqual(["token 1 after token 2"]);
  });

  it("has no holder between two proofs of another one", () => {
    expect(check(acquire(1), hold(1), acquire(2), hold(2), hold(1))).toEqual([
      "token 2 owned /key while token 1 did",
    ]);
    const during: Step = { ...hold(2), at: [3, 9] };
    expect(check({ ...hold(1), at: [1, 2] }, during, { ...hold(1), at: [4, 5] })).toEqual([]);
  });

  it("protects the resource from an older token", () => {
    expect(check(write(2, 11), write(1, 12))).toEqual([
      "a write with token 1 was accepted after token 2",
    ]);
  });
});

describe("an election", () => {
  const check = (...steps: Step[]) => messages(checkElection(historyOf(steps)));
  const campaign = (value: string, token: number): Step => ({
    kind: "campaign",
    input: value,
    output: token,
  });
  const seen = (kind: "readLeader" | "observed", value: string, token: number): Step => ({
    kind,
    output: { value, token },
  });

  it("has one leader after another, whom observers may see late", () => {
    const observed = [seen("observed", "a", 1), { kind: "observed", output: null }];
    const steps = [campaign("a", 1), seen("readLeader", "a", 1), campaign("b", 2), ...observed];
    expect(check(...steps)).toEqual([]);
  });

  it("keeps the rules of the lock", () => {
    expect(check(campaign("a", 1), campaign("b", 1))).toEqual(["two have token 1"]);
    expect(check(hold(1), hold(2), hold(1))).toEqual(["token 2 owned /key while token 1 did"]);
  });

  it("never reads an earlier leader", () => {
    const [a, b] = [campaign("a", 1), campaign("b", 2)];
    expect(check(a, b, seen("readLeader", "b", 2), seen("readLeader", "a", 1))).toEqual([
      "leader 1 after leader 2",
    ]);
  });

  it("shows only candidates", () => {
    expect(check(seen("observed", "a", 1))).toEqual(["a leads and never campaigned"]);
  });
});

describe("a queue", () => {
  const check = (...steps: Step[]) => messages(checkQueue(historyOf(steps)));
  const item = { key: "/q/1", value: "a" };
  const enqueue: Step = { kind: "enqueue", input: "a", output: "/q/1" };
  const take = (claim: string): Step => ({ kind: "take", output: { ...item, claim } });
  const prove = (kind: "hold" | "acknowledge", claim: string): Step => ({
    kind,
    key: "/q/1",
    input: claim,
  });
  const list = (...items: (typeof item)[]): Step => ({ kind: "list", output: items });

  it("delivers an item again after a lost claim, until it is done", () => {
    const lost: Step = { ...prove("acknowledge", "x"), outcome: "unknown" };
    const first = [enqueue, take("x"), prove("hold", "x")];
    const second = [take("y"), prove("hold", "y"), lost, prove("acknowledge", "y"), list()];
    expect(check(...first, ...second)).toEqual([]);
    expect(check(enqueue, list(item))).toEqual([]);
  });

  it("loses no item and keeps none that is done", () => {
    expect(check(enqueue, list())).toEqual(["the item /q/1 is lost"]);
    expect(check(enqueue, take("x"), prove("acknowledge", "x"), list(item))).toEqual([
      "/q/1 is done and remains",
    ]);
  });

  it("holds an enqueued item once", () => {
    expect(check(enqueue, list(item, { key: "/q/2", value: "a" }))).toEqual([
      "a is at /q/1 and /q/2",
    ]);
    expect(check(take("x"))).toEqual(["a was taken and never enqueued"]);
  });

  it("gives an item to one consumer at a time, and once", () => {
    const both = [take("x"), prove("hold", "x"), take("y"), prove("hold", "y")];
    expect(check(enqueue, ...both, prove("hold", "x"))).toEqual(["y owned /q/1 while x did"]);
    const [x, y] = [prove("acknowledge", "x"), prove("acknowledge", "y")];
    expect(check(enqueue, take("x"), x, take("y"), y)).toEqual(["/q/1 was done twice"]);
  });
});
