import { getEventListeners } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { brief, keysOf, loaded, STATE } from "../../test/support/loaded-mirror.js";
import {
  change,
  directory,
  file,
  removal,
  ScriptedClient,
} from "../../test/support/scripted-client.js";
import { EtcdClient } from "../client/etcd-client.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import type { EtcdNode } from "../model/node.js";
import { Mirror } from "./mirror/mirror.js";

describe("reading", () => {
  test("a file is the node as it was read, a directory comes without its children", async () => {
    const { mirror } = await loaded();
    expect(mirror.get("/a/9")).toBe(STATE.nodes?.[1]);
    expect(mirror.get("/a/d")).toEqual(directory("/a/d", 7));
    expect(mirror.get("/a/none")).toBeUndefined();
    expect([mirror.has("/a"), mirror.has("/a/none")]).toEqual([true, false]);
  });

  test("a trailing slash makes no difference", async () => {
    const { mirror } = await loaded(STATE, "/a/");
    expect(mirror.key).toBe("/a");
    expect(mirror.get("/a/")).toEqual(directory("/a", 4));
    expect(keysOf(mirror.list("/a/d/"))).toEqual(["/a/d/e", "/a/d/x"]);
  });

  test("children are listed in the order of their code points", async () => {
    const beyond = "/a/\u{10000}";
    const { mirror, deliver } = await loaded(
      directory("/a", 4, [file("/a/\uffff", "", 5), file("/a/b", "", 5), file(beyond, "", 5)]),
    );
    expect(keysOf(mirror.list("/a"))).toEqual(["/a/b", "/a/\uffff", beyond]);
    await deliver(change("set", file("/a/c", "", 11)), removal("delete", file("/a/b", "", 5), 12));
    await deliver(change("set", file("/a/B", "", 13)));
    expect(keysOf(mirror.list("/a"))).toEqual(["/a/B", "/a/c", "/a/\uffff", beyond]);
  });

  test("nothing is in a file, or in what does not exist", async () => {
    const { mirror } = await loaded();
    expect([mirror.list("/a/9"), mirror.list("/a/none")]).toEqual([[], []]);
  });

  test("what is listed is the caller's to change", async () => {
    const { mirror } = await loaded();
    (mirror.list("/a") as EtcdNode[]).length = 0;
    expect(mirror.list("/a")).toHaveLength(3);
  });

  test("iterates over all nodes, directories first, as they were when it began", async () => {
    const { mirror, deliver } = await loaded();
    const nodes = mirror[Symbol.iterator]();
    expect(nodes.next().value?.key).toBe("/a");
    await deliver(removal("delete", directory("/a/d", 7), 11));
    expect(keysOf(nodes)).toEqual(["/a/10", "/a/9", "/a/d", "/a/d/e", "/a/d/e/y", "/a/d/x"]);
    expect(keysOf(mirror)).toEqual(["/a", "/a/10", "/a/9"]);
  });

  test("a value is text, or what the caller's function makes of it", async () => {
    const { mirror } = await loaded(directory("/a", 4, [file("/a/json", '{"port":1}', 5)]));
    expect(mirror.value("/a/json")).toBe('{"port":1}');
    expect(mirror.value("/a/json", JSON.parse)).toEqual({ port: 1 });
    expect([mirror.value("/a"), mirror.value("/a/none", JSON.parse)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("a value that cannot be parsed is an error that names the key", async () => {
    const { mirror } = await loaded();
    expect(() => mirror.value("/a/9", JSON.parse)).toThrow(
      expect.objectContaining({
        name: "InvalidValueError",
        key: "/a/9",
        message: expect.stringMatching(/^\/a\/9: cannot be parsed: /),
        cause: expect.any(SyntaxError),
      }),
    );
  });

  test("a key outside is refused, since the mirror cannot know it", async () => {
    const { mirror } = await loaded();
    for (const key of ["/b", "/ab", "/", "a"]) {
      expect(() => mirror.get(key)).toThrow(
        expect.objectContaining({
          name: "TypeError",
          message: `key: "${key}" is not within the mirrored key /a`,
        }),
      );
    }
  });

  test("before the first load nothing passes for missing", () => {
    const mirror = new Mirror(new ScriptedClient(), "/a");
    onTestFinished(() => mirror.close());
    expect(() => mirror.get("/a/x")).toThrow(
      new TypeError('the mirror of /a is not loaded yet; await its "ready" first'),
    );
    expect(() => [...mirror]).toThrow(/not loaded yet/);
  });

  test("a key that is not there makes an empty mirror; a file, a mirror of one", async () => {
    const { mirror, deliver, changes } = await loaded(null);
    expect([...mirror]).toEqual([]);
    await deliver(change("set", file("/a", "alone", 11)));
    expect([...mirror]).toEqual([file("/a", "alone", 11)]);
    await deliver(removal("delete", file("/a", "alone", 11), 12));
    expect([...mirror]).toEqual([]);
    expect(brief(changes)).toEqual(["set /a: undefined -> alone", "delete /a: alone -> undefined"]);
  });

  test("the whole key space can be mirrored", async () => {
    const { mirror, deliver } = await loaded(directory("/", 0, [file("/x", "1", 4)]), "/");
    await deliver(change("set", file("/y/z", "2", 11)));
    expect(keysOf(mirror)).toEqual(["/", "/x", "/y", "/y/z"]);
    expect(mirror.get("/y/")).toEqual(directory("/y", 11));
  });
});

describe("bad arguments are refused when the mirror is made", () => {
  test.each([
    ["a", {}, /^key: "a" must begin with/],
    ["/a//b", {}, /^key: "\/a\/\/b" has an empty/],
    ["/a", { recursive: true }, /^recursive: is not an option of this call/],
    ["/a", null, /^options: must be an object/],
  ])("%s %o", (key, options, message) => {
    expect(() => new Mirror(new ScriptedClient(), key, options as object)).toThrow(message);
  });
});

test("a mirror that is refused leaves nothing on its client", () => {
  const etcd = new EtcdClient({ keySpace: new MemoryKeySpace() });
  expect(() => new Mirror(etcd, "/a", { pollInterval: 0 })).toThrow(/^pollInterval: must be/);
  expect(getEventListeners(etcd.closed, "abort")).toEqual([]);
});

test("options of the watch are passed on", async () => {
  const etcd = new ScriptedClient();
  const mirror = new Mirror(etcd, "/a/", { pollInterval: 5, bufferSize: 7 });
  onTestFinished(() => mirror.close());
  expect(etcd.watcher.key).toBe("/a");
  expect(etcd.watcher.options).toMatchObject({
    ...{ recursive: true, initial: true, pollInterval: 5, bufferSize: 7 },
  });
});
