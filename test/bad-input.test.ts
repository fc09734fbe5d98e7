import { beforeEach, describe, expect, test } from "vitest";
import { type Condition, EtcdClient, type KeySpace } from "../src/index.js";

/** Number of requests that reached the key space. It responds to none. */
let sent = 0;
const keySpace: KeySpace = {
  execute: () => Promise.reject(new Error(`request ${++sent} was sent`)),
  openWatch: () => Promise.reject(new Error(`watch ${++sent} was sent`)),
  subscribe: () => expect.fail(`subscription ${++sent} was sent`),
  close: async () => {},
};
const client = new EtcdClient({ keySpace });

beforeEach(() => {
  sent = 0;
});

/** A call with an invalid argument. Its types may accept the argument. */
async function expectMisuse(field: string, fix: RegExp, call: () => unknown): Promise<void> {
  const error = await (async () => call())().then(
    () => expect.fail(`${field}: was accepted`),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toHaveProperty("message", expect.stringMatching(fix));
  const { message } = error as TypeError;
  expect(message.slice(0, field.length + 2)).toBe(`${field}: `);
  expect(sent).toBe(0);
}

/** An accepted call reaches the key space. */
async function expectSent(call: () => Promise<unknown>): Promise<void> {
  await expect(call()).rejects.toThrow(/was sent$/);
}

const LITTLE = { prevValue: "1" };
type OfKey = (key: string) => Promise<unknown>;
type OfValue = (value: string) => Promise<unknown>;
type OfTtl = (ttl: number) => Promise<unknown>;
type OfCondition = (condition: Condition) => Promise<unknown>;

const readsOf: readonly OfKey[] = [
  (key) => client.getNode(key),
  (key) => client.getNodeValue(key),
  (key) => client.watchNode(key),
  (key) => client.execute({ action: "get", key }),
];

const writesOf: readonly OfKey[] = [
  (key) => client.setNode(key, "1"),
  (key) => client.setNode(key, null, { dir: true }),
  (key) => client.createNode(key, "1"),
  (key) => client.createInOrderNode(key, "1"),
  (key) => client.updateNode(key, "1"),
  (key) => client.refreshNode(key, 5),
  (key) => client.deleteNode(key),
  (key) => client.compareAndSwapNode(key, LITTLE, "1"),
  (key) => client.compareAndDeleteNode(key, LITTLE),
  (key) => client.execute({ action: "set", key, value: "1" }),
];

describe("keys", () => {
  test.each([
    ["without a slash at its beginning", /must begin with "\/"; write "\/a/, ["a", "a/b"]],
    ["of no characters", /must begin with "\/"; write "\/"/, [""]],
    ["with an empty segment", /write the path without it/, ["//", "/a//b", "//a", "/a//"]],
    ["with a . segment", /write the path without it/, ["/.", "/a/./b", "/a/.", "/./a"]],
    ["with a .. segment", /write the path without it/, ["/..", "/a/../b", "/a/..", "/a/../"]],
    ["with half of a surrogate pair", /encode binary data/, ["/\ud800", "/a/\udc00b"]],
  ])("a key %s is refused by every verb", async (_what, fix, keys) => {
    for (const key of keys) {
      for (const call of [...readsOf, ...writesOf]) {
        await expectMisuse("key", fix, () => call(key));
      }
      await expectMisuse("prefix", fix, () => client.namespace(key));
    }
  });

  test.each([[undefined], [null], [5], [["/a"]], [{}]])(
    "a key that is %j is refused",
    async (key) => {
      for (const call of [...readsOf, ...writesOf]) {
        await expectMisuse("key", /must be a string/, () => call(key as never));
      }
    },
  );

  test.each([
    "/0/members/8e9e05c52164694d/attributes",
    "/0/members/1/attributes/",
    "/deep/down/0/members/ABC/attributes",
  ])("a write of %s, which could crash the server, is refused", async (key) => {
    for (const call of writesOf) await expectMisuse("key", /choose another path/, () => call(key));
    for (const call of readsOf) await expectSent(() => call(key));
  });

  test.each([
    ["/0", "/members/8e9e/attributes"],
    ["/x/0/members", "/8e9e/attributes"],
    ["/0/members/8e9e", "/attributes"],
    ["/0/members/8e9e/attributes", "/"],
  ])("such a write is refused in a namespace, too: %s", async (prefix, key) => {
    const namespace = client.namespace(prefix);
    await expectMisuse("key", /choose another path/, () => namespace.setNode(key, "{}"));
    await expectMisuse("key", /choose another path/, () => {
      return client.namespace("/a").namespace(prefix).setNode(key, "{}");
    });
  });

  test.each([
    "/",
    "/..a/b../.c/...",
    "/0/members/8e9e05c52164694d/attributesX",
    "/0/members/8e9e05c52164694d0/attributes",
    "/0/members/xyz/attributes",
    "/1/members/8e9e/attributes",
    "/a b/%2e%2e/?#;",
    "/trailing/",
  ])("%s is accepted as a key", async (key) => {
    for (const call of [...readsOf, ...writesOf]) await expectSent(() => call(key));
  });
});

describe("values", () => {
  const ofValue: readonly OfValue[] = [
    (value) => client.setNode("/a", value),
    (value) => client.createNode("/a", value),
    (value) => client.createInOrderNode("/a", value),
    (value) => client.updateNode("/a", value),
    (value) => client.compareAndSwapNode("/a", LITTLE, value),
    (value) => client.execute({ action: "set", key: "/a", value }),
  ];

  test.each([[5], [true], [{}], [["a"]], [Buffer.from("a")], [Symbol.iterator], [undefined]])(
    "a value that is %o is refused",
    async (value) => {
      for (const call of ofValue) {
        await expectMisuse("value", /must be a string.*JSON/, () => call(value as never));
      }
    },
  );

  test("null is refused for a file", async () => {
    for (const call of ofValue)
      await expectMisuse("value", /dir: true|string/, () => call(null as never));
  });

  test("a value with half of a surrogate pair is refused", async () => {
    for (const value of ["\ud83d", "a\ude00", "\ude00\ud83d"]) {
      for (const call of ofValue) {
        await expectMisuse("value", /encode binary data/, () => call(value));
      }
    }
  });

  test("a value for a directory is refused", async () => {
    const dir = { dir: true } as never;
    await expectMisuse("value", /pass null/, () => client.setNode("/a", "1", dir));
    await expectMisuse("value", /pass null/, () => client.createNode("/a", "1", dir));
    await expectMisuse("value", /pass null/, () => client.createInOrderNode("/a", "1", dir));
    await expectMisuse("value", /pass null/, () => client.updateNode("/a", "1", dir));
    for (const action of ["set", "create"]) {
      const request = { action, key: "/a", value: "1", dir: true } as never;
      await expectMisuse("value", /directory/, () => client.execute(request));
    }
  });

  test("the empty string and any complete character are accepted as values", async () => {
    for (const call of ofValue) {
      await expectSent(() => call(""));
      await expectSent(() => call("\0😀\ufffd"));
    }
  });
});

describe("TTLs", () => {
  const ofTtl: readonly OfTtl[] = [
    (ttl) => client.setNode("/a", "1", { ttl }),
    (ttl) => client.setNode("/a", null, { dir: true, ttl }),
    (ttl) => client.createNode("/a", "1", { ttl }),
    (ttl) => client.createInOrderNode("/a", "1", { ttl }),
    (ttl) => client.updateNode("/a", "1", { ttl }),
    (ttl) => client.compareAndSwapNode("/a", LITTLE, "1", { ttl }),
    (ttl) => client.refreshNode("/a", ttl),
    (ttl) => client.refreshNode("/a", ttl, LITTLE),
    (ttl) => client.execute({ action: "set", key: "/a", refresh: true, ttl }),
  ];
  const secondsUntil = (day: string): number => Math.round((Date.parse(day) - Date.now()) / 1000);

  test.each([[-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], ["5"], [null], [5n]])(
    "a TTL of %s is refused",
    async (ttl) => {
      for (const call of ofTtl) {
        await expectMisuse("ttl", /whole number of seconds/, () => call(ttl as never));
      }
    },
  );

  test("a TTL that ends after April 2262, where etcd's clock overflows, is refused", async () => {
    for (const ttl of [secondsUntil("2262-04-13"), 9_223_372_037, Number.MAX_SAFE_INTEGER]) {
      for (const call of ofTtl) await expectMisuse("ttl", /omit ttl/, () => call(ttl));
    }
    for (const call of ofTtl) await expectSent(() => call(secondsUntil("2262-04-10")));
  });

  test("a refresh without a TTL is refused", async () => {
    await expectMisuse("ttl", /whole number/, () => client.refreshNode("/a", undefined as never));
  });

  test("a TTL of 0 is accepted", async () => {
    for (const call of ofTtl) await expectSent(() => call(0));
  });
});

describe("conditions and indexes", () => {
  const ofCondition: readonly OfCondition[] = [
    (condition) => client.compareAndSwapNode("/a", condition, "1"),
    (condition) => client.compareAndDeleteNode("/a", condition),
    (condition) =>
      client.execute({ action: "compareAndSwap", key: "/a", value: "1", ...condition }),
    (condition) => client.execute({ action: "compareAndDelete", key: "/a", ...condition }),
  ];
  const refreshOnCondition = ({ prevValue, prevIndex }: Partial<Condition>) =>
    client.refreshNode("/a", 5, {
      ...(prevValue !== undefined && { prevValue }),
      ...(prevIndex !== undefined && { prevIndex }),
    });
  const NOT_INDEXES = [-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, "5", null, 5n];

  test.each([0, ...NOT_INDEXES])("a prevIndex of %s is refused", async (prevIndex) => {
    const wrong = { prevIndex } as never;
    for (const call of [...ofCondition, refreshOnCondition]) {
      await expectMisuse("prevIndex", /integer from 1 to 2\^53 - 1/, () => call(wrong));
    }
  });

  test.each(NOT_INDEXES)("a waitIndex of %s is refused", async (waitIndex) => {
    const wrong = { waitIndex } as never;
    await expectMisuse("waitIndex", /integer from 0/, () => client.watchNode("/a", wrong));
  });

  test("an empty prevValue, which etcd cannot compare with, is refused", async () => {
    for (const call of [...ofCondition, refreshOnCondition]) {
      await expectMisuse("prevValue", /compare by prevIndex/, () => call({ prevValue: "" }));
    }
  });

  test.each([[5], [null], ["\ud800"]])("a prevValue of %j is refused", async (prevValue) => {
    for (const call of ofCondition) {
      await expectMisuse("prevValue", /string|binary/, () => call({ prevValue } as never));
    }
  });

  test.each([[{}], [{ prevValue: undefined }], [undefined], [null]])(
    "%j as a condition is refused, because etcd would write unconditionally",
    async (condition) => {
      for (const call of ofCondition) {
        const fix = /requires prevValue or prevIndex/;
        await expectMisuse("condition", fix, () => call(condition as never));
      }
    },
  );

  test("the highest safe index is accepted", async () => {
    const index = Number.MAX_SAFE_INTEGER;
    for (const call of ofCondition) await expectSent(() => call({ prevIndex: index }));
    await expectSent(() => client.watchNode("/a", { waitIndex: index }));
    await expectSent(() => client.watchNode("/a", { waitIndex: 0 }));
  });

  test("an unknown action is refused", async () => {
    const request = { action: "compareAndSet", key: "/a", value: "1" } as never;
    await expectMisuse("action", /compareAndSwap/, () => client.execute(request));
  });
});

const JUNK: object = { sort: true };

describe("an unknown option", () => {
  test.each<[string, (client: EtcdClient) => Promise<unknown>]>([
    ["getNode", (client) => client.getNode("/a", JUNK)],
    ["setNode", (client) => client.setNode("/a", "1", JUNK)],
    ["refreshNode", (client) => client.refreshNode("/a", 1, JUNK)],
    ["deleteNode", (client) => client.deleteNode("/a", JUNK)],
  ])("is refused by %s, with a list of the known ones", async (_name, call) => {
    const client = new EtcdClient({ urls: ["http://127.0.0.1:1"] });
    await expect(call(client)).rejects.toThrow(
      /^sort: is not an option of this call( \(did you mean sorted\?\))?; it takes /,
    );
    await client.close();
  });
});
