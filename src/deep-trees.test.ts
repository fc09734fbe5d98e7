import { expect, it } from "vitest";
import { z } from "zod";
import { brief, loaded } from "../test/support/loaded-mirror.js";
import { change, directory, file, removal } from "../test/support/scripted-client.js";
import { SimulatedClock } from "../test/support/simulated-clock.js";
import { responseJson } from "./cli/output/response-json.js";
import { treeLines } from "./cli/output/tree-lines.js";
import { InvalidValueError } from "./errors/invalid-value-error.js";
import { type MessageType, message as messageType } from "./etcd3/protobuf/message-type.js";
import { NamespaceKeySpace } from "./key-space/decorators/namespace-key-space.js";
import type { KeySpace } from "./key-space/key-space.js";
import { type KeySpaceSnapshot, MemoryKeySpace } from "./key-space/memory/memory-key-space.js";
import { Listing } from "./key-space/v3/read/listing.js";
import { KeySchema } from "./key-space/v3/schema/key-schema.js";
import { ROOT_NODE } from "./key-space/v3/schema/node-view.js";
import { ancestorsOf } from "./key-space/v3/schema/path-snapshot.js";
import { eventsOf } from "./key-space/v3/watch/events-of-revision.js";
import type { AnyNode, EtcdNode } from "./model/node.js";
import type { EtcdResponse } from "./model/response.js";
import { config } from "./recipes/config/config.js";
import { encodeResponse } from "./wire/encode-response.js";
import { readJson } from "./wire/json.js";
import { readNode } from "./wire/node-shape.js";

/** A number of levels at which recursion overflows the stack. */
const LEVELS = 15_000;

/** The path of the deepest node. Its prefixes share its memory. */
const PATH = "/d".repeat(LEVELS);
const ORIGIN = { etcdServer: "", etcdClusterId: "", etcdIndex: 4, raftIndex: 4, raftTerm: 1 };

const pathAt = (level: number): string => PATH.slice(0, 2 * level);

/** Nested directories. Their keys are short, because these tests do not use them. */
function nested(levels = LEVELS): EtcdNode {
  const indexes = { modifiedIndex: 4, createdIndex: 4 };
  let node: EtcdNode = { key: "/a/b", value: "1", ...indexes };
  for (let level = 1; level < levels; level++) {
    node = { key: "/a/b", dir: true, nodes: [node], ...indexes };
  }
  return { ...node, key: "/a" };
}

/** Directories with their real keys, down to a file. */
function treeAt(path: string): EtcdNode {
  let node = file(path, "1", 4);
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    node = directory(path.slice(0, end), 4, [node]);
  }
  return node;
}

/** A tree that no request can make, but that an older version of the server has saved. */
function deepKeySpace(clock: SimulatedClock, ttl?: number): MemoryKeySpace {
  const expiration = ttl === undefined ? null : clock.now() + ttl * 1000;
  const nodes = Array.from(
    { length: LEVELS },
    (_, level) => [pathAt(level + 1), null, 4, 4, level === 0 ? expiration : null] as const,
  );
  const store: KeySpaceSnapshot["store"] = { index: 4, nodes };
  return new MemoryKeySpace({ clock }, { clusterId: "1", store, history: [], historyFloor: 5 });
}

const depthOf = (top: AnyNode): number => {
  let depth = 1;
  for (let node = top.nodes?.[0]; node !== undefined; node = node.nodes?.[0]) depth++;
  return depth;
};

const keySpaceOf = (response: EtcdResponse): KeySpace => ({
  execute: async () => response,
  openWatch: () => Promise.reject(new Error("no watches")),
  subscribe: () => expect.fail("nothing is subscribed"),
  close: async () => {},
});

it("a memory key space refuses a new path of more than 256 levels, and stays as it was", async () => {
  const keySpace = new MemoryKeySpace();
  await keySpace.execute({ action: "set", key: "/d".repeat(256), value: "1" });
  const { index } = keySpace;
  const parent = "/d".repeat(255);
  await keySpace.execute({ action: "create", key: `${parent}/e`, dir: true });
  for (const request of [
    { action: "set", key: "/e".repeat(257), value: "1" },
    { action: "set", key: "/e".repeat(500_000), dir: true },
    { action: "create", key: "/e".repeat(257), value: "" },
    { action: "create", key: `${parent}/e`, value: "", inOrder: true },
  ] as const) {
    await expect(keySpace.execute(request)).rejects.toMatchObject({
      errorCode: 209,
      status: 400,
      detail: expect.stringMatching(/^the key has \d+ levels; use a key with at most 256 levels$/),
    });
  }
  expect(keySpace.index).toBe(index + 1);
  expect((await keySpace.execute({ action: "get", key: "/" })).node.nodes).toHaveLength(1);
});

it("a memory key space reports quickly that a path of any depth does not exist", async () => {
  const keySpace = new MemoryKeySpace();
  await keySpace.execute({ action: "set", key: "/e/f", value: "1" });
  const key = "/e".repeat(500_000);
  for (const action of ["get", "delete"] as const) {
    const request = keySpace.execute({ action, key });
    await expect(request).rejects.toMatchObject({ errorCode: 100, detail: "/e/e" });
  }
  const below = keySpace.execute({ action: "get", key: `/e/f${key}` });
  await expect(below).rejects.toMatchObject({ errorCode: 104, detail: "/e/f" });
});

it("a deep tree is listed, deleted, saved and restored", async () => {
  const keySpace = deepKeySpace(new SimulatedClock());
  const { node } = await keySpace.execute({ action: "get", key: "/d", recursive: true });
  expect(depthOf(node)).toBe(LEVELS);
  const copy = new MemoryKeySpace({}, keySpace.snapshot());
  expect(copy.snapshot()).toEqual(keySpace.snapshot());
  const watch = await keySpace.openWatch({ key: pathAt(LEVELS) });
  await keySpace.execute({ action: "delete", key: "/d", recursive: true });
  const { value } = await watch[Symbol.asyncIterator]().next();
  expect(value?.action).toBe("delete");
  expect((await keySpace.execute({ action: "get", key: "/" })).node.nodes).toBeUndefined();
});

it("a deep tree expires", async () => {
  const clock = new SimulatedClock();
  const keySpace = deepKeySpace(clock, 10);
  clock.advance(11_000);
  expect(keySpace.stats.expireCount).toBe(1);
  expect(keySpace.snapshot().store.nodes).toEqual([]);
  await keySpace.close();
});

it("a deep response is encoded, decoded, checked and printed", async () => {
  const answer: EtcdResponse = { action: "get", node: nested(), ...ORIGIN };
  const { node: read } = readJson(encodeResponse(answer)) as { readonly node: EtcdNode };
  expect(depthOf(read)).toBe(LEVELS);
  expect(depthOf(readNode(treeAt(PATH), "the test"))).toBe(LEVELS);
  const { node: printed } = readJson(responseJson(answer)) as { readonly node: EtcdNode };
  expect(depthOf(printed)).toBe(LEVELS);
  const small = { ...answer, node: nested(1000) };
  expect([...treeLines(small.node, true)]).toHaveLength(1000);
  const inside = new NamespaceKeySpace(keySpaceOf(answer), "/a");
  const { node } = await inside.execute({ action: "get", key: "/", recursive: true });
  expect(depthOf(node)).toBe(LEVELS);
  expect(node.nodes?.[0]?.key).toBe("/b");
});

it("a deep response that contains `__proto__` is decoded, or refused with an error", () => {
  const deep = `${"[".repeat(LEVELS)}"__proto__"${"]".repeat(LEVELS)}`;
  expect(() => readJson(deep)).not.toThrow();
  expect(() => readJson(deep.replace('"__proto__"', '{"__proto__":1}'))).toThrow(SyntaxError);
});

it("a mirror loads, iterates and removes a deep tree", async () => {
  const { mirror, deliver, changes } = await loaded(treeAt(PATH), "/d");
  expect([...mirror]).toHaveLength(LEVELS);
  await deliver(removal("delete", directory("/d/d", 4), 11));
  expect(changes).toHaveLength(LEVELS - 1);
  expect(brief(changes.slice(-1))).toEqual(["delete /d/d: dir -> undefined"]);
  await deliver(change("set", file(PATH, "2", 12)));
  expect([...mirror]).toHaveLength(LEVELS);
});

it("settings that are nested too deeply are an error that names the directory", async () => {
  const { mirror } = await loaded(treeAt(PATH), "/d");
  using settings = config(mirror, z.unknown()).on("error", () => {});
  await expect(settings.ready).rejects.toThrow(InvalidValueError);
  await expect(settings.ready).rejects.toThrow(
    `${"/d".repeat(257)}: more than 256 levels of directories`,
  );
});

it("on v3, keys deeper than the limit are not in listings and events", () => {
  const kv = {
    key: Buffer.from(PATH),
    value: Buffer.alloc(0),
    create_revision: 4,
    mod_revision: 4,
    version: 1,
    lease: "0",
  };
  const listing = new Listing("", true);
  listing.addFile(PATH, kv);
  listing.addFile(pathAt(62), kv);
  const view = { offset: 0, now: 0, hasExpired: () => false };
  const top = { ...ROOT_NODE, nodes: listing.nodes(view, true) };
  expect(depthOf(top)).toBe(63);
  const changes = [{ kv: kv, deleted: false, prev: undefined }];
  expect(eventsOf({ number: 5, changes }, new KeySchema(), view)).toEqual([]);
  expect(ancestorsOf(PATH)).toHaveLength(LEVELS - 1);
});

interface Nested {
  readonly inner: Nested | undefined;
}

it("a Protocol Buffers message with endless nesting is refused", () => {
  const type: MessageType<Nested> = messageType({ inner: [1, (): MessageType<Nested> => type] });
  let message: Nested = { inner: undefined };
  for (let level = 0; level < 150; level++) message = { inner: message };
  const bytes = type.encode(message);
  expect(type.decode(bytes)).toEqual(message);
  const pieces = [Buffer.alloc(0)];
  for (let length = 0, level = 0; level < LEVELS; level++) {
    const head = [0x0a, ...varint(length)];
    pieces.push(Buffer.from(head));
    length += head.length;
  }
  expect(() => type.decode(Buffer.concat(pieces.reverse()))).toThrow(/nested messages/);
});

function varint(number: number): number[] {
  const bytes: number[] = [];
  for (let rest = number; ; rest >>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
