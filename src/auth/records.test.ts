import { expect, it, test } from "vitest";
import { KeyNotFoundError, TestFailedError } from "../errors/common-errors.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { type RecordKind, Records } from "./records.js";

interface Tally {
  readonly name: string;
  readonly marks: readonly number[];
}

const TALLIES: RecordKind<Tally> = {
  directory: "/tallies",
  read: (json) => (Array.isArray((json as Tally).marks) ? (json as Tally) : undefined),
};

const tallies = (keySpace = new MemoryKeySpace()) => new Records(keySpace, TALLIES);

it("loses none of many concurrent changes by two servers", async () => {
  const keySpace = new MemoryKeySpace();
  const servers = [tallies(keySpace), tallies(keySpace)];
  await servers[0]?.create("a", { name: "a", marks: [] });
  const marks = Array.from({ length: 50 }, (_, mark) => mark);
  const mark = (each: number) => (old: Tally) => ({ ...old, marks: [...old.marks, each] });
  await Promise.all(marks.map((each) => servers[each % 2]?.update("a", mark(each))));
  const tally = await servers[0]?.get("a");
  expect(tally?.marks.toSorted((a, b) => a - b)).toEqual(marks);
});

it("fails after many conflicts", async () => {
  const keySpace = new MemoryKeySpace();
  const records = tallies(keySpace);
  await records.create("a", { name: "a", marks: [] });
  const execute = keySpace.execute.bind(keySpace);
  keySpace.execute = async (request) => {
    if (request.action === "compareAndSwap") {
      await execute({ action: "set", key: request.key, value: '{"marks":[]}' });
    }
    return execute(request);
  };
  await expect(records.update("a", (old) => old)).rejects.toThrow(TestFailedError);
});

it("creates a name once, with any number of attempts", async () => {
  const records = tallies();
  const tries = Array.from({ length: 10 }, (_, mark) =>
    records.create("a", { name: "a", marks: [mark] }),
  );
  expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
});

it("updates and removes only existing records", async () => {
  const records = tallies();
  expect(await records.update("a", (old) => old)).toBeUndefined();
  expect(await records.remove("a")).toBe(false);
  await records.create("a", { name: "a", marks: [] });
  expect(await records.remove("a")).toBe(true);
  expect(await records.get("a")).toBeUndefined();
});

it("does not restore a record that is removed during an update", async () => {
  const keySpace = new MemoryKeySpace();
  const records = tallies(keySpace);
  await records.create("a", { name: "a", marks: [] });
  const removal: Promise<boolean>[] = [];
  const changed = await records.update("a", (old) => {
    removal.push(records.remove("a"));
    return old;
  });
  expect(changed).toBeUndefined();
  const key = "/tallies/=a";
  await expect(keySpace.execute({ action: "get", key })).rejects.toThrow(KeyNotFoundError);
});

test.each(["a/b", "..", ".", "_a", "%", "ü \u{1f600}", "", "a/", "x/../a"])(
  'keeps the name "%s" unchanged and distinct',
  async (name) => {
    const records = tallies();
    await records.create("a", { name: "a", marks: [] });
    expect(await records.get(name)).toBeUndefined();
    expect(await records.create(name, { name, marks: [1] })).toBe(true);
    expect(await records.get(name)).toEqual({ name, marks: [1] });
    expect((await records.list()).map((each) => each.name).toSorted()).toEqual(
      ["a", name].toSorted(),
    );
  },
);
