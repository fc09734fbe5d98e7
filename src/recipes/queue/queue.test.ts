import { beforeEach, describe, expect, test } from "vitest";
import { Stage, type StageProcess, settle } from "../../../test/recipes/stage.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import { Queue, type TakeOptions } from "./queue.js";
import type { QueueItem } from "./queue-item.js";

const down = { fail: new ClusterUnavailableError("…", []) };

let stage: Stage;
let producer: StageProcess;
let one: StageProcess;
let two: StageProcess;

beforeEach(() => {
  stage = new Stage();
  producer = stage.process();
  one = stage.process();
  two = stage.process();
});

const queueOf = ({ etcd }: StageProcess): Queue => new Queue(etcd, "/queue");

async function enqueue(...values: readonly string[]): Promise<void> {
  const queue = queueOf(producer);
  for (const value of values) await queue.enqueue(value);
}

/** A taking under way, and what came of it. */
function taking(queue: Queue, options: TakeOptions = {}) {
  const attempt: { item?: QueueItem; error?: unknown; readonly done: Promise<void> } = {
    done: queue.take(options).then(
      (item) => {
        attempt.item = item;
      },
      (error: unknown) => {
        attempt.error = error;
      },
    ),
  };
  return attempt;
}

async function expectNothingLeft(...queues: readonly Queue[]): Promise<void> {
  for (const queue of queues) await queue.close();
  await settle();
  expect(await stage.list("/queue")).toEqual({});
  expect(await stage.list("/queue/_claims")).toEqual({});
  expect(stage.leftovers).toBe(0);
}

describe("a queue", () => {
  test("delivers first what came first", async () => {
    await enqueue("a", "b", "c");
    const queue = queueOf(one);
    const values: string[] = [];
    for (let count = 0; count < 3; count++) {
      const item = await queue.take();
      values.push(item.value);
      await item.acknowledge();
    }
    expect(values).toEqual(["a", "b", "c"]);
    await expectNothingLeft(queue);
  });

  test("delivers each item to one of many consumers", async () => {
    const queues = [queueOf(one), queueOf(two)];
    const values: string[] = [];
    const consumers = Array.from({ length: 20 }, async (_, at) => {
      const queue = queues[at % 2] ?? queueOf(one);
      for (let count = 0; count < 10; count++) {
        const item = await queue.take();
        values.push(item.value);
        await settle();
        await item.acknowledge();
      }
    });
    const expected = Array.from({ length: 200 }, (_, at) => `${at}`);
    await enqueue(...expected);
    await stage.pass(1_000);
    await Promise.all(consumers);
    expect(values.sort((a, b) => Number(a) - Number(b))).toEqual(expected);
    await expectNothingLeft(...queues);
  });

  test("many who wait in one process try an item once", async () => {
    const queue = queueOf(one);
    const waiting = Array.from({ length: 50 }, () => taking(queue));
    await settle();
    one.way.requests.length = 0;
    await enqueue("a");
    await settle();
    const took = waiting.filter(({ item }) => item !== undefined);
    expect(took).toEqual([waiting[0]]);
    expect(one.way.requests.map(({ action }) => action)).toEqual(["create", "get"]);
    await took[0]?.item?.acknowledge();
    await queue.close();
    await Promise.all(waiting.map(({ done }) => done));
    await expectNothingLeft(queue);
  });

  test("keeps what is claimed from others while its consumer lives", async () => {
    await enqueue("slow work");
    const [mine, theirs] = [queueOf(one), queueOf(two)];
    const item = await mine.take();
    const other = taking(theirs);
    await stage.pass(600_000);
    expect(other.item).toBeUndefined();
    item.assertHeld();
    await item.acknowledge();
    await stage.pass(60_000);
    expect(other.item).toBeUndefined();
    await theirs.close();
    await other.done;
    await expectNothingLeft(mine, theirs);
  });

  test("delivers empty values, too", async () => {
    await enqueue("");
    const queue = queueOf(one);
    const item = await queue.take();
    expect(item.value).toBe("");
    await item.acknowledge();
    await expectNothingLeft(queue);
  });

  test.each(["/queue/", "/"])("may be at %s", async (key) => {
    const queue = new Queue(one.etcd, key);
    await queue.enqueue("a");
    const item = await queue.take();
    expect(item.value).toBe("a");
    await item.acknowledge();
    await queue.close();
    await settle();
    expect(stage.leftovers).toBe(0);
  });

  test("orders by number: old releases of etcd do not pad names", async () => {
    for (const name of ["10", "9", "00000000000000000011"]) {
      await stage.memory.execute({ action: "set", key: `/queue/${name}`, value: name });
    }
    const queue = queueOf(one);
    const items = [await queue.take(), await queue.take(), await queue.take()];
    expect(items.map(({ value }) => Number(value))).toEqual([9, 10, 11]);
    for (const item of items) await item.acknowledge();
    await expectNothingLeft(queue);
  });
});

describe("an item is delivered again", () => {
  test("when its consumer died: as soon as the claim has expired", async () => {
    await enqueue("a");
    const [mine, theirs] = [queueOf(one), queueOf(two)];
    await mine.take();
    const other = taking(theirs);
    await settle();
    await one.etcd.close();
    await stage.pass(29_000);
    expect(other.item).toBeUndefined();
    await stage.pass(2_000);
    expect(other.item?.value).toBe("a");
    await other.item?.acknowledge();
    await expectNothingLeft(mine, theirs);
  });

  test("when its consumer was paused for too long, who then cannot acknowledge it", async () => {
    await enqueue("a");
    const [mine, theirs] = [queueOf(one), queueOf(two)];
    const item = await mine.take();
    const other = taking(theirs);
    await settle();
    await stage.pass(31_000, one);
    await other.done;
    await expect(item.acknowledge()).rejects.toMatchObject({ reason: "unconfirmed" });
    expect(item.signal.aborted).toBe(true);
    await item.release();
    other.item?.assertHeld();
    await other.item?.acknowledge();
    await expectNothingLeft(mine, theirs);
  });

  test("when its consumer threw: the block releases it", async () => {
    await enqueue("a", "b");
    const queue = queueOf(one);
    const work = async (): Promise<void> => {
      await using item = await queue.take();
      throw new Error(`cannot do ${item.value}`);
    };
    await expect(work()).rejects.toThrow("cannot do a");
    await settle();
    const again = await queue.take();
    expect(again.value).toBe("a");
    await again.acknowledge();
    await (await queue.take()).acknowledge();
    await expectNothingLeft(queue);
  });

  test("when its claim was deleted by hand; the first consumer learns it", async () => {
    await enqueue("a");
    const [mine, theirs] = [queueOf(one), queueOf(two)];
    const item = await mine.take();
    const other = taking(theirs);
    await settle();
    await stage.memory.execute({ action: "delete", key: "/queue/_claims", recursive: true });
    await other.done;
    await stage.pass(10_500);
    expect(() => item.assertHeld()).toThrow("taken-over");
    await item.release();
    other.item?.assertHeld();
    await other.item?.acknowledge();
    await expectNothingLeft(mine, theirs);
  });
});

describe("acknowledging", () => {
  test("is done when somebody has deleted the item", async () => {
    await enqueue("a");
    const queue = queueOf(one);
    const item = await queue.take();
    await stage.memory.execute({ action: "delete", key: item.key });
    await item.acknowledge();
    await expectNothingLeft(queue);
  });

  test.each(["response lost", "request lost"] as const)("survives: %s", async (fate) => {
    await enqueue("a");
    const queue = queueOf(one);
    const item = await queue.take();
    let troubles = 1;
    one.way.fate = ({ action }) => (action === "delete" && troubles-- > 0 ? fate : undefined);
    const acknowledged = item.acknowledge();
    await stage.pass(1_000);
    await acknowledged;
    await expectNothingLeft(queue);
  });

  test("fails when etcd is away until the claim is over", async () => {
    await enqueue("a");
    const queue = queueOf(one);
    const item = await queue.take();
    one.way.fate = () => down;
    const acknowledged = item.acknowledge().catch((error: unknown) => error);
    await stage.pass(28_000);
    expect(await acknowledged).toMatchObject({ name: "OwnershipLostError" });
    one.way.fate = () => undefined;
    await item.release();
    await stage.pass(5_000);
    await (await queue.take()).acknowledge();
    await expectNothingLeft(queue);
  });

  test("twice, or releasing after it, does nothing more", async () => {
    await enqueue("a", "b");
    const queue = queueOf(one);
    const item = await queue.take();
    await item.acknowledge();
    await item.release();
    await expect(item.acknowledge()).rejects.toMatchObject({ reason: "released" });
    await (await queue.take()).acknowledge();
    await expectNothingLeft(queue);
  });
});

describe("taking", () => {
  test("waits until there is something", async () => {
    const queue = queueOf(one);
    const attempt = taking(queue);
    await stage.pass(300_000);
    expect(attempt.item).toBeUndefined();
    await enqueue("at last");
    await attempt.done;
    expect(attempt.item?.value).toBe("at last");
    await attempt.item?.acknowledge();
    await expectNothingLeft(queue);
  });

  test("ends by its timeout, its signal, its queue and its client", async () => {
    const queue = queueOf(one);
    const late = taking(queue, { timeout: 1_000 });
    await stage.pass(1_000);
    await late.done;
    expect(late.error).toMatchObject({ name: "TimeoutError" });
    const caller = new AbortController();
    const aborted = taking(queue, { signal: caller.signal });
    await settle();
    caller.abort();
    await aborted.done;
    const closed = taking(queue);
    await settle();
    await queue.close();
    await closed.done;
    const other = queueOf(two);
    const ended = taking(other);
    await settle();
    await two.etcd.close();
    await ended.done;
    for (const { error } of [aborted, closed, ended]) {
      expect(error).toMatchObject({ name: "AbortError" });
    }
    await settle();
    expect(stage.leftovers).toBe(0);
    await expect(queue.take()).rejects.toMatchObject({ name: "AbortError" });
    await settle();
    expect(stage.leftovers).toBe(0);
  });

  test.each(["request lost", "response lost", down] as const)(
    "waits while etcd cannot claim or read: %o",
    async (fate) => {
      const queue = queueOf(one);
      const attempt = taking(queue);
      await settle();
      one.way.fate = () => fate;
      await enqueue("a");
      await stage.pass(20_000);
      expect([attempt.item, attempt.error]).toEqual([undefined, undefined]);
      one.way.fate = () => undefined;
      await stage.pass(31_000);
      expect(attempt.item?.value).toBe("a");
      await attempt.item?.acknowledge();
      await expectNothingLeft(queue);
    },
  );

  test("given up in the middle of a claim, it leaves none", async () => {
    await enqueue("a");
    const queue = queueOf(one);
    one.way.fate = ({ action }) => (action === "create" ? { respondAfter: 5_000 } : undefined);
    const caller = new AbortController();
    const attempt = taking(queue, { signal: caller.signal });
    await settle();
    expect(Object.keys(await stage.list("/queue/_claims"))).toHaveLength(1);
    caller.abort();
    await attempt.done;
    one.way.fate = () => undefined;
    await settle();
    await (await queue.take()).acknowledge();
    await expectNothingLeft(queue);
  });

  test("passes over an item that was acknowledged just before the claim", async () => {
    await enqueue("a", "b");
    const [mine, theirs] = [queueOf(one), queueOf(two)];
    let arrive = (): void => {};
    const holdUntil = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    two.way.fate = (request) => (request.action === "create" ? { holdUntil } : undefined);
    const other = taking(theirs);
    await settle();
    await (await mine.take()).acknowledge();
    two.way.fate = () => undefined;
    arrive();
    await other.done;
    expect(other.item?.value).toBe("b");
    await other.item?.acknowledge();
    await expectNothingLeft(mine, theirs);
  });

  test("does not mind what else stands in the directory", async () => {
    await stage.memory.execute({ action: "set", key: "/queue/note", value: "by hand" });
    await stage.memory.execute({ action: "create", key: "/queue", inOrder: true, dir: true });
    await enqueue("a");
    const queue = queueOf(one);
    const item = await queue.take();
    expect(item.value).toBe("a");
    await item.acknowledge();
    await queue.close();
  });

  test("fails as the watch does, and begins anew with the next call", async () => {
    await enqueue("a");
    const queue = queueOf(one);
    one.way.fate = ({ action }) =>
      action === "get" ? { fail: new Error("forbidden") } : undefined;
    await expect(queue.take()).rejects.toThrow("forbidden");
    one.way.fate = () => undefined;
    await (await queue.take()).acknowledge();
    await expectNothingLeft(queue);
  });
});

test.each([
  [() => new Queue(one.etcd, "queue"), /^key: "queue" must begin/],
  [
    () => new Queue(one.etcd, "/queue", { visibilityTimeout: 0 }),
    /^visibilityTimeout: must be a whole number of seconds/,
  ],
  [
    () => new Queue(one.etcd, "/queue", { ttl: 3 } as object),
    /^ttl: is not an option of this call/,
  ],
])("%s is refused", (make, message) => {
  expect(make).toThrow(message);
});
