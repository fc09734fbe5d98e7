import { describe, expect, it } from "vitest";
import { historyOf, type Step } from "./history-of.js";
import { checkMirrors } from "./mirror.js";
import { checkWatches } from "./watch.js";

const messages = (violations: readonly { readonly message: string }[]): readonly string[] =>
  violations.map(({ message }) => message);

const set = (key: string, value: string, index: number): Step => ({
  kind: "set",
  key,
  input: value,
  output: index,
});
const remove = (key: string, index: number): Step => ({ kind: "delete", key, output: index });
const unknown = (step: Step): Step => ({ ...step, outcome: "unknown" });
/** Files as `key value index`. */
const state = (index: number, ...files: string[]) => ({
  index,
  files: files.map((file) => {
    const [key = "", value = "", modified] = file.split(" ");
    return { key, value, index: Number(modified) };
  }),
});

/** Three writes with the indexes 1 to 3. */
const writes = [set("/t/a/1", "x", 1), set("/t/b/1", "y", 2), remove("/t/a", 3)];

describe("watches", () => {
  const check = (...steps: Step[]) => messages(checkWatches(historyOf(steps)));
  const change = (index: number, key: string, value?: string): Step => ({
    kind: "change",
    output: { index, key, ...(value !== undefined && { value }) },
  });
  const resync = (output: ReturnType<typeof state>, reason = "initial"): Step => ({
    kind: "resync",
    output: { ...output, reason },
  });
  const changes = [change(1, "/t/a/1", "x"), change(2, "/t/b/1", "y"), change(3, "/t/a")] as const;
  const [first, second, third] = changes;
  const start = resync(state(0));

  it("deliver every change once and in order", () => {
    const progress = { kind: "progress", output: { index: 5, currentAt: 100e9 } };
    const reached = { kind: "reached", output: 5 };
    expect(check(...writes, start, ...changes, progress, reached)).toEqual([]);
  });

  it("deliver a change of an unknown write or not", () => {
    const late = unknown(set("/t/b/1", "z", 4));
    expect(check(...writes, late, start, ...changes)).toEqual([]);
    expect(check(...writes, late, start, ...changes, change(4, "/t/b/1", "z"))).toEqual([]);
  });

  it("may replace changes by the state that they lead to", () => {
    const gap = resync(state(3, "/t/b/1 y 2"), "history-cleared");
    expect(check(...writes, start, first, gap)).toEqual([]);
  });

  it("do not lose, repeat or exchange changes", () => {
    const missing = "the change of index 2 is missing";
    expect(check(...writes, start, first, third)).toEqual([missing]);
    expect(check(...writes, start, first, first)).toEqual(["a change of index 1 after index 1"]);
    expect(check(...writes, start, second, first)).toEqual([
      "the change of index 1 is missing",
      "a change of index 1 after index 2",
    ]);
  });

  it("do not claim to be further than they are", () => {
    const progress = (output: object): Step => ({ kind: "progress", output });
    expect(check(...writes, start, first, progress({ index: 2 }))).toEqual([
      "the change of index 2 is missing",
    ]);
    expect(check(...writes, start, first, progress({ index: 1, currentAt: 100e9 }))).toEqual([
      "a change is missing that is older than currentAt",
    ]);
    expect(check(...writes, start, first, { kind: "reached", output: 3 })).toEqual([
      "the change of index 2 is missing",
      "the change of index 3 is missing",
    ]);
  });

  it("tell the truth in a resync", () => {
    const stale = resync(state(3, "/t/a/1 x 1", "/t/b/1 y 2"));
    expect(check(...writes, stale)).toEqual(["/t/a/1 is x of index 1 at index 3"]);
    expect(check(...writes, resync(state(2, "/t/b/1 y 2")))).toEqual([
      "/t/a/1 is missing at index 2",
    ]);
    expect(
      check(...writes, start, ...changes, resync(state(2, "/t/a/1 x 1", "/t/b/1 y 2"))),
    ).toEqual(["a resync of index 2 after index 3"]);
  });

  it("deliver nothing that nobody wrote, and all the same", () => {
    const invented = change(4, "/t/b/1", "z");
    expect(check(...writes, start, ...changes, invented)).toEqual([
      "an event of index 4 at /t/b/1 that no write explains",
    ]);
    const other = change(2, "/t/b/1", "other");
    expect(check(...writes, start, first, other)).toEqual([
      "the event of index 2 differs from that of others",
    ]);
    const twice = [change(4, "/t/b/1", "z"), change(5, "/t/b/1", "z")];
    expect(check(...writes, unknown(set("/t/b/1", "z", 4)), start, ...changes, ...twice)).toEqual([
      "z was written twice",
    ]);
  });

  it("end only when they are closed, and catch up in the end", () => {
    const ended = { kind: "ended", output: "Error: why" };
    expect(check(start, ended)).toEqual(["the watch has ended: Error: why"]);
    const late: Step = { kind: "reached", outcome: "failed" };
    expect(check(start, late)).toEqual(["does not catch up"]);
  });
});

describe("mirrors", () => {
  const check = (...steps: Step[]) => messages(checkMirrors(historyOf(steps)));
  const view = (output: ReturnType<typeof state>, currentAt = 0): Step => ({
    kind: "view",
    output: { ...output, currentAt },
  });
  const atTwo = state(2, "/t/a/1 x 1", "/t/b/1 y 2");
  const atThree = state(3, "/t/b/1 y 2");

  it("show the tree at their index", () => {
    const list = { kind: "list", output: atThree };
    const end = [list, { kind: "waitFor", output: 3 }, view(atThree, 100e9)];
    expect(check(...writes, view(state(0)), view(atTwo), ...end)).toEqual([]);
  });

  it("may show unknown writes", () => {
    const late = [unknown(set("/t/b/1", "z", 4)), unknown(remove("/t/b", 5))];
    expect(check(...writes, ...late, view(state(4, "/t/b/1 z 4")), view(state(5)))).toEqual([]);
  });

  it("show no other state of an index", () => {
    expect(check(...writes, view({ ...atTwo, index: 3 }))).toEqual([
      "/t/a/1 is x of index 1 at index 3",
    ]);
    expect(check(...writes, view(state(3, "/t/b/1 z 3")))).toEqual([
      "/t/b/1 is z of index 3 at index 3",
    ]);
    const late = unknown(remove("/t/b", 5));
    expect(check(...writes, late, view(atThree), view(state(3)))).toEqual([
      "two different states of index 3",
    ]);
  });

  it("do not go back, and are as new as they say", () => {
    expect(check(...writes, view(atThree), view(atTwo))).toEqual(["index 2 after index 3"]);
    expect(check(...writes, { kind: "waitFor", output: 3 }, view(atTwo))).toEqual([
      "index 2 after index 3",
    ]);
    expect(check(...writes, view(atTwo, 100e9))).toEqual([
      "a write is missing that is older than staleFor",
    ]);
  });

  it("report no failure, and catch up in the end", () => {
    expect(check({ kind: "error", output: "Error: why" })).toEqual(["a mirror failed: Error: why"]);
    expect(check({ kind: "waitFor", outcome: "failed" })).toEqual(["does not catch up"]);
  });
});
