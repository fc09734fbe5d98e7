import { expect, it } from "vitest";
import type { KeyWatch } from "../../key-space/key-space.js";
import type { EtcdResponse } from "../../model/response.js";
import { nextTurn } from "../../time/event-loop.js";
import { shownWatch } from "./shown-watch.js";

const ORIGIN = { etcdServer: "", etcdClusterId: "c", etcdIndex: 1, raftIndex: 0, raftTerm: 0 };

function event(index: number): EtcdResponse {
  const node = { key: "/a", value: "1", modifiedIndex: index, createdIndex: index };
  return { ...ORIGIN, action: "set", node };
}

/** A watch with events, which then ends, or fails. */
function watchOf(count: number, failure?: Error) {
  let read = 0;
  let isClosed = false;
  const watch: KeyWatch = {
    ...ORIGIN,
    provenIndex: 1,
    close: () => {
      isClosed = true;
    },
    async *[Symbol.asyncIterator]() {
      while (read < count) {
        read++;
        yield event(read);
      }
      if (failure !== undefined) throw failure;
    },
  };
  return { watch, read: () => read, isClosed: () => isClosed };
}

it("shows all events in order, and reads on while one is prepared", async () => {
  const { watch, read, isClosed } = watchOf(300);
  const release: (() => void)[] = [];
  const shown = shownWatch(watch, "c", async (each) => {
    await new Promise<void>((resolve) => release.push(resolve));
    return each;
  });
  const indexes: number[] = [];
  const reading = (async () => {
    for await (const { node } of shown) indexes.push(node.modifiedIndex);
  })();
  await expect.poll(read).toBe(100);
  while (!isClosed()) {
    for (const each of release.splice(0).reverse()) each();
    await nextTurn();
  }
  await reading;
  expect(indexes).toEqual(Array.from({ length: 300 }, (_, at) => at + 1));
});

it("ends with the failure of the watch, after the events before it", async () => {
  const { watch, isClosed } = watchOf(2, new Error("gone"));
  const seen: number[] = [];
  const reading = async () => {
    for await (const { node } of shownWatch(watch, "c", async (each) => each)) {
      seen.push(node.modifiedIndex);
    }
  };
  await expect(reading()).rejects.toThrow("gone");
  expect(seen).toEqual([1, 2]);
  expect(isClosed()).toBe(true);
});

it("ends with an event that cannot be shown", async () => {
  const { watch } = watchOf(3);
  const reading = async () => {
    for await (const _ of shownWatch(watch, "c", async (each) => {
      if (each.node.modifiedIndex === 2) throw new Error("not shown");
      return each;
    }));
  };
  await expect(reading()).rejects.toThrow("not shown");
});

it("closes the watch when its reader stops", async () => {
  const { watch, isClosed } = watchOf(10);
  for await (const _ of shownWatch(watch, "c", async (each) => each)) break;
  expect(isClosed()).toBe(true);
});
