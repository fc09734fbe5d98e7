import { expect, it } from "vitest";
import { branchesOf, checkNoticed, type Restore } from "./branches.js";
import { historyOf } from "./checks/history-of.js";

/** A snapshot at 10 s, restored at 20 s. */
const restore: Restore = {
  snapshotFrom: 10e9,
  snapshotTo: 11e9,
  index: 100,
  stoppedAt: 20e9,
  noticedUntil: 30e9,
};

it("a restored store has what was before the snapshot and after the restore, each as far as it is certain", () => {
  const history = historyOf([
    { kind: "write", input: "kept", at: [1, 2] },
    { kind: "write", input: "perhaps in the snapshot", at: [9, 12] },
    { kind: "read", at: [9, 12] },
    { kind: "write", input: "lost", at: [12, 13] },
    { kind: "write", input: "without a response", outcome: "unknown", at: [12, 13] },
    { kind: "write", input: "by either", output: 150, at: [19, 22] },
    { kind: "read", at: [19, 22] },
    { kind: "hold", input: 7, at: [23, 24] },
    { kind: "write", input: "new", at: [25, 26] },
    { kind: "hold", input: 8, at: [31, 32] },
  ]);
  const [before, after] = branchesOf(history, [restore]).map((branch) =>
    branch.map(({ kind, input = "", outcome }) => `${kind} ${input} ${outcome}`.replace("  ", " ")),
  );
  expect(before).toEqual([
    "write kept ok",
    "write perhaps in the snapshot ok",
    "read ok",
    "write lost ok",
    "write without a response unknown",
    "write by either unknown",
  ]);
  expect(after).toEqual([
    "write kept ok",
    "write perhaps in the snapshot unknown",
    "write without a response unknown",
    "write by either unknown",
    "hold 7 unknown",
    "write new ok",
    "hold 8 ok",
  ]);
});

it("what a watch reports belongs to the restored store from the resync on", () => {
  const resync = { kind: "resync", output: { index: 90, reason: "cluster-changed" } } as const;
  const history = historyOf([
    { kind: "change", output: { index: 50 }, at: [5, 5] },
    { kind: "change", output: { index: 120 }, at: [15, 15] },
    { kind: "change", output: { index: 121 }, at: [21, 21] },
    { ...resync, at: [22, 22] },
    { kind: "change", output: { index: 101 }, at: [23, 23] },
  ]);
  const [, after] = branchesOf(history, [restore]);
  expect(after?.map(({ output }) => output)).toMatchObject([
    { index: 50 },
    { index: 90 },
    { index: 101 },
  ]);
  expect(checkNoticed(history, [restore])).toEqual([]);
});

it("each watch that has seen more than the snapshot must report the restore in time", () => {
  const seen = (client: number, index: number) =>
    ({ kind: "progress", client, output: { index }, at: [15, 15] }) as const;
  const resync = (client: number, reason: string, at: number) =>
    ({ kind: "resync", client, output: { index: 90, reason }, at: [at, at] }) as const;
  const history = historyOf([
    seen(1, 120),
    seen(2, 120),
    resync(2, "history-cleared", 21),
    seen(3, 120),
    resync(3, "cluster-changed", 31),
    seen(4, 120),
    resync(4, "cluster-changed", 21),
    seen(5, 100),
    seen(6, 120),
    resync(6, "initial", 21),
  ]);
  expect(checkNoticed(history, [restore]).map(({ message }) => message)).toEqual([
    "client 1 has not noticed the restore",
    "client 2 has not noticed the restore",
    "client 3 has not noticed the restore",
  ]);
});

it("an owner must not assert for long what the restore has removed", () => {
  const acquire = (output: number, from: number) =>
    ({ kind: "acquire", output, at: [from, from + 1] }) as const;
  const hold = (input: number, from: number) =>
    ({ kind: "hold", input, at: [from, from + 1] }) as const;
  const kept = [acquire(7, 5), hold(7, 31)];
  expect(checkNoticed(historyOf(kept), [restore])).toEqual([]);
  const lost = [acquire(120, 15), hold(120, 21), hold(120, 31)];
  expect(checkNoticed(historyOf(lost), [restore])).toMatchObject([
    { message: "asserts an ownership that the restore has removed" },
  ]);
});
