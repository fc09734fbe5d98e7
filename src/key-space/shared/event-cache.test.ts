import { expect, it } from "vitest";
import { EventCache, type IndexEvents } from "./event-cache.js";
import type { StoreEvent } from "./store-event.js";

const PLENTY = 1_000_000;

function entry(index: number, count = 1, value = ""): IndexEvents {
  const node = { key: `/${index}`, value, modifiedIndex: index, createdIndex: index };
  const event: StoreEvent = { action: "set", node };
  return { index, events: Array.from({ length: count }, () => event) };
}

const indexes = (ring: EventCache, from: number): readonly number[] =>
  ring.from(from).map(({ index }) => index);

it("contains the latest events, in complete indexes, with gaps between them", () => {
  const ring = new EventCache({ events: 4, characters: PLENTY }, 10);
  for (const added of [entry(12), entry(15, 2), entry(20)]) ring.add(added);
  expect([ring.floor, ring.size, indexes(ring, 0)]).toEqual([10, 4, [12, 15, 20]]);
  ring.add(entry(21));
  expect([ring.floor, ring.size, indexes(ring, 0)]).toEqual([13, 4, [15, 20, 21]]);
  ring.add(entry(22));
  expect([ring.floor, ring.size, indexes(ring, 0)]).toEqual([16, 3, [20, 21, 22]]);
  expect(indexes(ring, 21)).toEqual([21, 22]);
  expect(indexes(ring, 23)).toEqual([]);
});

it("is limited by the length of values, too", () => {
  const ring = new EventCache({ events: 100, characters: 250 }, 1);
  for (let index = 1; index <= 5; index++) ring.add(entry(index, 1, "x".repeat(100)));
  expect(indexes(ring, 0)).toEqual([4, 5]);
});

it("contains the latest event, however long it is", () => {
  const ring = new EventCache({ events: 100, characters: 250 }, 1);
  for (let index = 1; index <= 3; index++) ring.add(entry(index, 1, "x".repeat(1000)));
  expect([ring.floor, indexes(ring, 0)]).toEqual([3, [3]]);
});

it("counts keys, former values and the paths that were removed with a directory", () => {
  const long = "x".repeat(100);
  const node = { key: "/", modifiedIndex: 1, createdIndex: 1 };
  for (const event of [
    { action: "set", node: { ...node, key: `/${long}` } },
    { action: "delete", node, prevNode: { ...node, value: long } },
    { action: "delete", node, removed: [long] },
  ] as const) {
    const ring = new EventCache({ events: 100, characters: 250 }, 1);
    for (let index = 1; index <= 5; index++) ring.add({ index, events: [event] });
    expect(indexes(ring, 0)).toEqual([4, 5]);
  }
});

it("accepts earlier events in front, unless they do not all fit", () => {
  const ring = new EventCache({ events: 3, characters: PLENTY }, 10);
  ring.add(entry(11));
  expect(ring.room).toBe(2);
  const events = [entry(2), entry(3), entry(4), entry(5, 0)];
  expect(ring.prepend({ from: 1, to: 10, events })).toBe(false);
  expect([ring.floor, indexes(ring, 0)]).toEqual([10, [11]]);
  expect(ring.prepend({ from: 3, to: 10, events: events.slice(1) })).toBe(true);
  expect([ring.floor, ring.room, indexes(ring, 0)]).toEqual([3, 0, [3, 4, 11]]);
  ring.add(entry(12));
  expect([ring.floor, indexes(ring, 0)]).toEqual([4, [4, 11, 12]]);
});

it("accepts no earlier events if events after them were dropped", () => {
  const ring = new EventCache({ events: 2, characters: PLENTY }, 10);
  for (const index of [11, 12, 13]) ring.add(entry(index));
  expect(ring.prepend({ from: 5, to: 10, events: [] })).toBe(false);
  expect(ring.floor).toBe(12);
});
