import { expect, test } from "vitest";
import { Position } from "./position.js";

const eventOf = (key: string, modifiedIndex: number) => ({
  node: { key, modifiedIndex, createdIndex: 1 },
});

function positionAt(since: number): Position {
  const position = new Position();
  position.startAt(since);
  return position;
}

test("before anything is known, a watch begins from now", () => {
  expect(new Position()).toMatchObject({ since: undefined, index: 0 });
});

test("an event is asked for once more, until all of its index was seen", () => {
  const position = positionAt(5);
  expect(position.take(eventOf("/a", 7))).toBe(true);
  expect(position).toMatchObject({ since: 7, index: 7 });
  position.completeIndex();
  expect(position).toMatchObject({ since: 8, index: 7 });
});

test("several events of one index are told apart by their keys, each told once", () => {
  const position = positionAt(5);
  const told = ["/a", "/b", "/a", "/b"].map((key) => position.take(eventOf(key, 6)));
  expect(told).toEqual([true, true, false, false]);
});

test("what was before is not told", () => {
  const position = positionAt(5);
  expect(position.take(eventOf("/a", 4))).toBe(false);
  expect(position.since).toBe(5);
});

test("quiet moves the index on, but an event that comes late is still taken", () => {
  const position = positionAt(5);
  position.quietUntil(100);
  expect(position).toMatchObject({ since: 5, index: 100 });
  expect(position.take(eventOf("/a", 50))).toBe(true);
});

test("quiet is believed no more when something of before comes late, even if it was seen", () => {
  const position = positionAt(5);
  position.take(eventOf("/a", 50));
  position.quietUntil(100);
  position.disproveQuiet(eventOf("/a", 101));
  expect(position.index).toBe(100);
  position.disproveQuiet(eventOf("/a", 40));
  expect(position.index).toBe(50);
  expect(position.skipQuiet()).toBe(false);
});

test("quiet is believed when it is all there is, and leads further once", () => {
  const position = positionAt(5);
  position.quietUntil(100);
  expect(position.skipQuiet()).toBe(true);
  expect(position.since).toBe(101);
  expect(position.skipQuiet()).toBe(false);
});
