import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  change,
  directory,
  file,
  removal,
  resync,
  ScriptedClient,
  settled,
} from "../../test/support/scripted-client.js";
import type { EtcdNode } from "../model/node.js";
import type { WatchItem } from "../watch/watch-item.js";
import { Mirror } from "./mirror.js";
import type { MirrorChange } from "./mirror-change.js";

const STATE = directory("/a", 4, [
  file("/a/10", "ten", 5),
  file("/a/9", "nine", 6),
  directory("/a/d", 7, [
    file("/a/d/x", "1", 7),
    directory("/a/d/e", 8, [file("/a/d/e/y", "2", 8)]),
  ]),
]);

const keysOf = (nodes: Iterable<EtcdNode>): string[] => [...nodes].map(({ key }) => key);

/** A mirror that has loaded `state`, and what it told since. */
async function loaded(state: EtcdNode | null = STATE, key = "/a") {
  const etcd = new ScriptedClient();
  const mirror = new Mirror(etcd, key);
  onTestFinished(() => mirror.close());
  etcd.watcher.tell(resync(state, 10));
  await mirror.ready;
  const changes: MirrorChange[] = [];
  mirror.on("change", (change) => changes.push(change));
  const tell = async (...items: readonly WatchItem[]): Promise<void> => {
    etcd.watcher.tell(...items);
    await settled();
  };
  return { etcd, mirror, changes, tell };
}

/** Changes in short: what was done to which key. */
const brief = (changes: readonly MirrorChange[]): string[] =>
  changes.map(({ action, key, node, prevNode }) => {
    const show = (one: EtcdNode | undefined) => one && (one.value ?? "dir");
    return `${action} ${key}: ${show(prevNode)} -> ${show(node)}`;
  });

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
    const { mirror, tell } = await loaded(
      directory("/a", 4, [file("/a/\uffff", "", 5), file("/a/b", "", 5), file(beyond, "", 5)]),
    );
    expect(keysOf(mirror.list("/a"))).toEqual(["/a/b", "/a/\uffff", beyond]);
    await tell(change("set", file("/a/c", "", 11)), removal("delete", file("/a/b", "", 5), 12));
    await tell(change("set", file("/a/B", "", 13)));
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
    const { mirror, tell } = await loaded();
    const nodes = mirror[Symbol.iterator]();
    expect(nodes.next().value?.key).toBe("/a");
    await tell(removal("delete", directory("/a/d", 7), 11));
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
        new TypeError(`key: "${key}" is not within /a, which is what is mirrored`),
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
    const { mirror, tell, changes } = await loaded(null);
    expect([...mirror]).toEqual([]);
    await tell(change("set", file("/a", "alone", 11)));
    expect([...mirror]).toEqual([file("/a", "alone", 11)]);
    await tell(removal("delete", file("/a", "alone", 11), 12));
    expect([...mirror]).toEqual([]);
    expect(brief(changes)).toEqual(["set /a: undefined -> alone", "delete /a: alone -> undefined"]);
  });

  test("the whole key space can be mirrored", async () => {
    const { mirror, tell } = await loaded(directory("/", 0, [file("/x", "1", 4)]), "/");
    await tell(change("set", file("/y/z", "2", 11)));
    expect(keysOf(mirror)).toEqual(["/", "/x", "/y", "/y/z"]);
    expect(mirror.get("/y/")).toEqual(directory("/y", 11));
  });
});

describe("events", () => {
  test("move the index, and are told with the node before and after", async () => {
    const { mirror, tell, changes } = await loaded();
    const [before, after] = [file("/a/9", "nine", 6), file("/a/9", "9", 11)];
    await tell(change("compareAndSwap", after, before));
    expect(mirror.index).toBe(11);
    expect(mirror.get("/a/9")).toBe(after);
    expect(changes).toEqual([
      { action: "compareAndSwap", key: "/a/9", node: after, prevNode: before },
    ]);
  });

  test("a write with the value that was there is a change too", async () => {
    const { tell, changes } = await loaded();
    await tell(change("set", file("/a/9", "nine", 11), file("/a/9", "nine", 6)));
    expect(brief(changes)).toEqual(["set /a/9: nine -> nine"]);
  });

  test("directories made on the way have the index of what made them", async () => {
    const { mirror, tell, changes } = await loaded(null);
    await tell(change("set", file("/a/b/c", "1", 11)));
    expect([...mirror]).toEqual([
      directory("/a", 11),
      directory("/a/b", 11),
      file("/a/b/c", "1", 11),
    ]);
    expect(brief(changes)).toEqual([
      "set /a: undefined -> dir",
      "set /a/b: undefined -> dir",
      "set /a/b/c: undefined -> 1",
    ]);
  });

  test.each(["delete", "expire"] as const)(
    "%s of a directory tells of all in it",
    async (action) => {
      const { mirror, tell, changes } = await loaded();
      await tell(removal(action, directory("/a/d", 7), 11));
      expect(keysOf(mirror)).toEqual(["/a", "/a/10", "/a/9"]);
      expect(brief(changes)).toEqual([
        `${action} /a/d/e/y: 2 -> undefined`,
        `${action} /a/d/e: dir -> undefined`,
        `${action} /a/d/x: 1 -> undefined`,
        `${action} /a/d: dir -> undefined`,
      ]);
    },
  );

  test("a listener never sees half of one", async () => {
    const { mirror, tell } = await loaded();
    const seen = new Set<string>();
    mirror.on("change", () => seen.add(`${mirror.index}: ${keysOf(mirror)}`));
    await tell(removal("delete", directory("/a/d", 7), 11));
    expect([...seen]).toEqual(["11: /a,/a/10,/a/9"]);
  });

  test("a directory above the mirrored key takes all with it", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/top/a");
    onTestFinished(() => mirror.close());
    etcd.watcher.tell(resync(directory("/top/a", 4, [file("/top/a/x", "1", 5)]), 10));
    etcd.watcher.tell(removal("delete", directory("/top", 4), 11));
    await settled();
    expect([...mirror]).toEqual([]);
    etcd.watcher.tell(change("set", file("/top/a/y", "2", 12)));
    await settled();
    expect(keysOf(mirror)).toEqual(["/top/a", "/top/a/y"]);
  });

  test("a directory deleted and made again is empty", async () => {
    const { mirror, tell } = await loaded();
    await tell(
      removal("delete", directory("/a/d", 7), 11),
      change("create", directory("/a/d", 12)),
    );
    expect(mirror.list("/a/d")).toEqual([]);
    expect(mirror.get("/a/d")).toEqual(directory("/a/d", 12));
    expect(keysOf(mirror.list("/a"))).toEqual(["/a/10", "/a/9", "/a/d"]);
  });

  test("a file becomes a directory", async () => {
    const { mirror, tell, changes } = await loaded();
    await tell(change("set", directory("/a/9", 11), file("/a/9", "nine", 6)));
    await tell(change("set", file("/a/9/x", "1", 12)));
    expect(keysOf(mirror.list("/a"))).toEqual(["/a/10", "/a/9", "/a/d"]);
    expect(keysOf(mirror.list("/a/9"))).toEqual(["/a/9/x"]);
    expect(brief(changes)).toEqual(["set /a/9: nine -> dir", "set /a/9/x: undefined -> 1"]);
  });

  test("an update of a directory leaves what is in it, and its index, as etcd does", async () => {
    const { mirror, tell } = await loaded();
    const expiring = { ...directory("/a/d", 7), expiration: "2030-01-01T00:00:00Z", ttl: 5 };
    await tell(change("update", { ...expiring, modifiedIndex: 11 }, directory("/a/d", 7)));
    expect(mirror.get("/a/d")).toEqual(expiring);
    expect(mirror.list("/a/d")).toHaveLength(2);
  });

  test("the removal of what the mirror never had changes nothing", async () => {
    const { mirror, tell, changes } = await loaded();
    await tell(removal("delete", file("/a/none", "", 5), 11));
    expect([mirror.index, changes]).toEqual([11, []]);
  });
});

describe("a resync", () => {
  test("serves the old copy until the new one is there, then tells the differences", async () => {
    const { mirror, tell, changes } = await loaded();
    const seen: unknown[] = [];
    mirror.on("resync", (resync) => seen.push(resync, changes.length));
    const after = directory("/a", 4, [
      file("/a/10", "ten", 15),
      directory("/a/9", 16, [file("/a/9/x", "new", 16)]),
      file("/a/d", "file", 17),
    ]);
    await tell(resync(after, 20, "history cleared"));
    expect(brief(changes)).toEqual([
      "resync /a/d/e/y: 2 -> undefined",
      "resync /a/d/e: dir -> undefined",
      "resync /a/d/x: 1 -> undefined",
      "resync /a/9: nine -> dir",
      "resync /a/9/x: undefined -> new",
      "resync /a/d: dir -> file",
    ]);
    expect(seen).toEqual([{ reason: "history cleared", index: 20 }, 6]);
    expect(mirror.index).toBe(20);
  });

  test("ignores what differs in indexes and the moment of expiry alone, but keeps it", async () => {
    const before = file("/a/x", "1", 5, { expiration: "2030-01-01T00:00:00Z", ttl: 5 });
    const after = file("/a/x", "1", 15, { expiration: "2030-01-01T00:01:00Z", ttl: 65 });
    const { mirror, tell, changes } = await loaded(directory("/a", 4, [before]));
    await tell(resync(directory("/a", 4, [after]), 20, "history cleared"));
    expect(changes).toEqual([]);
    expect(mirror.get("/a/x")).toBe(after);
  });

  test("tells of a TTL that came or went", async () => {
    const expiring = file("/a/x", "1", 15, { expiration: "2030-01-01T00:01:00Z", ttl: 65 });
    const { tell, changes } = await loaded(directory("/a", 4, [file("/a/x", "1", 5)]));
    await tell(resync(directory("/a", 4, [expiring]), 20, "history cleared"));
    expect(brief(changes)).toEqual(["resync /a/x: 1 -> 1"]);
  });

  test("without the key empties the mirror", async () => {
    const { mirror, tell, changes } = await loaded();
    await tell(resync(null, 20, "slow consumer"));
    expect([...mirror]).toEqual([]);
    expect(changes).toHaveLength(7);
  });

  test("of another cluster sets the index back, and those who wait for one are told", async () => {
    const { mirror, tell } = await loaded();
    const waiting = expect(mirror.waitFor(11)).rejects.toMatchObject({
      name: "AbortError",
      cause: new Error("another cluster answers, in which the index means nothing"),
    });
    await tell(resync(STATE, 5, "cluster changed", "beef"));
    await waiting;
    expect(mirror.index).toBe(5);
  });

  test("of the same cluster, as a backup had it, does so too", async () => {
    const { mirror, tell } = await loaded();
    const waiting = expect(mirror.waitFor(11)).rejects.toMatchObject({ name: "AbortError" });
    await tell(resync(STATE, 5));
    await waiting;
    expect(mirror.index).toBe(5);
  });

  test("the first load is told as such, without changes", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/a");
    onTestFinished(() => mirror.close());
    const told = vi.fn();
    mirror.on("change", told).on("resync", told);
    etcd.watcher.tell(resync(STATE, 10));
    await settled();
    expect(told.mock.calls).toEqual([[{ reason: "initial", index: 10 }]]);
  });
});

describe("listeners", () => {
  test("one that throws, or rejects, hinders neither the others nor the mirror", async () => {
    const { mirror, tell, changes } = await loaded();
    const errors: string[] = [];
    mirror.on("error", ({ message }) => errors.push(message));
    mirror.prependListener("change", () => {
      throw new Error("mine");
    });
    mirror.prependListener("change", async () => Promise.reject(new Error("mine, later")));
    await tell(change("set", file("/a/x", "1", 11)), change("set", file("/a/y", "1", 12)));
    expect(keysOf(changes.map(({ node }) => node ?? STATE))).toEqual(["/a/x", "/a/y"]);
    expect(errors.sort()).toEqual(["mine", "mine", "mine, later", "mine, later"]);
  });

  test("once is once", async () => {
    const { mirror, tell } = await loaded();
    const listener = vi.fn();
    mirror.once("change", listener);
    await tell(change("set", file("/a/x", "1", 11)), change("set", file("/a/y", "1", 12)));
    expect(listener).toHaveBeenCalledOnce();
  });

  test("errors that nobody listens for, or a listener of errors throws, are warnings", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const { mirror, tell } = await loaded();
    mirror.on("change", () => {
      throw "no error";
    });
    await tell(change("set", file("/a/x", "1", 11)));
    mirror.on("error", () => {
      throw new Error("not even that");
    });
    await tell(change("set", file("/a/x", "2", 12)));
    expect(warn.mock.calls).toEqual([
      [new Error("thrown: 'no error'")],
      [new Error("not even that")],
    ]);
    expect(mirror.value("/a/x")).toBe("2");
  });

  test("are told nothing more once one of them has closed the mirror", async () => {
    const { mirror, tell, changes } = await loaded();
    mirror.on("change", () => void mirror.close());
    await tell(removal("delete", directory("/a/d", 7), 11), change("set", file("/a/x", "1", 12)));
    expect(changes).toHaveLength(1);
    expect(mirror.has("/a/d")).toBe(false);
    expect(mirror.has("/a/x")).toBe(false);
  });

  test("may be many: a mirror is there to be shared", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const { mirror } = await loaded();
    for (let n = 0; n < 100; n++) mirror.on("change", () => {});
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("waiting for an index", () => {
  test("ends with the event that has it, when the mirror shows it", async () => {
    const { mirror, tell } = await loaded();
    const value = mirror.waitFor(11).then(() => mirror.value("/a/x"));
    await tell(change("set", file("/a/x", "1", 11)));
    expect(await value).toBe("1");
  });

  test("is over at once for an index that was reached", async () => {
    const { mirror } = await loaded();
    await mirror.waitFor(10);
  });

  test("ends when the quiet watch is known to have come that far", async () => {
    const { etcd, mirror } = await loaded();
    const waiting = mirror.waitFor(15);
    etcd.watcher.index = 14;
    etcd.clock.pass(20);
    expect(mirror.index).toBe(14);
    etcd.watcher.index = 15;
    etcd.clock.pass(20);
    await waiting;
    expect(etcd.clock.pending).toBe(0);
  });

  test("waits for the first load too", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/a");
    onTestFinished(() => mirror.close());
    const waiting = mirror.waitFor(0).then(() => mirror.has("/a"));
    etcd.watcher.tell(resync(STATE, 10));
    expect(await waiting).toBe(true);
  });

  test("is given up by a signal, and nothing stays behind", async () => {
    const { etcd, mirror } = await loaded();
    const stop = new AbortController();
    const waiting = mirror.waitFor(11, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(waiting).rejects.toMatchObject({
      name: "AbortError",
      message: "waiting for the mirror of /a was aborted",
      cause: new Error("enough"),
    });
    await expect(mirror.waitFor(11, { signal: stop.signal })).rejects.toThrow("aborted");
    expect(etcd.clock.pending).toBe(0);
  });

  test("refuses what is no index", async () => {
    const { mirror } = await loaded();
    await expect(mirror.waitFor(1.5)).rejects.toThrow(/^index: must be an index of etcd, not 1.5/);
  });
});

describe("failures", () => {
  test("of the first load reject ready, and the mirror tries on", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/a");
    onTestFinished(() => mirror.close());
    const errors: Error[] = [];
    mirror.on("error", (error) => errors.push(error));
    const failure = new Error("no leave to read");
    etcd.watcher.fail(failure);
    await expect(mirror.ready).rejects.toBe(failure);
    await settled();
    expect([errors, etcd.watchers.length]).toEqual([[failure], 1]);
    etcd.clock.pass(500);
    await settled();
    expect(etcd.watchers).toHaveLength(2);
    etcd.watcher.tell(resync(STATE, 10));
    await settled();
    expect(mirror.has("/a/d/x")).toBe(true);
  });

  test("later ones leave the copy, and what was missed is told as differences", async () => {
    const { etcd, mirror, changes } = await loaded(directory("/a", 4, [file("/a/x", "1", 5)]));
    mirror.on("error", () => {});
    etcd.watcher.fail(new Error("for a while"));
    await settled();
    expect(mirror.value("/a/x")).toBe("1");
    etcd.clock.pass(500);
    await settled();
    etcd.watcher.tell(resync(directory("/a", 4, [file("/a/x", "2", 15)]), 20));
    await settled();
    expect(brief(changes)).toEqual(["resync /a/x: 1 -> 2"]);
  });

  test("attempts are farther and farther apart", async () => {
    const { etcd, mirror } = await loaded();
    mirror.on("error", () => {});
    for (let failures = 1; failures <= 4; failures++) {
      etcd.watcher.fail(new Error("again"));
      await settled();
      etcd.clock.pass(250 * 2 ** (failures - 1) - 1);
      await settled();
      expect(etcd.watchers).toHaveLength(failures);
      etcd.clock.pass(250 * 2 ** (failures - 1) + 1);
      await settled();
      expect(etcd.watchers).toHaveLength(failures + 1);
    }
  });

  test("staleFor counts from the last contact, over watches too", async () => {
    const { etcd, mirror } = await loaded();
    mirror.on("error", () => {});
    etcd.clock.pass(1000);
    expect(mirror.staleFor).toBe(1000);
    etcd.watcher.contactAt = etcd.clock.monotonic();
    expect(mirror.staleFor).toBe(0);
    etcd.watcher.fail(new Error("cut"));
    await settled();
    etcd.clock.pass(700);
    await settled();
    expect(etcd.watchers).toHaveLength(2);
    expect(mirror.staleFor).toBe(700);
  });
});

describe("the end", () => {
  test("close stops the watch, keeps the copy and gives up those who wait", async () => {
    const { etcd, mirror } = await loaded();
    const waiting = mirror.waitFor(11);
    await Promise.all([mirror.close(), expect(waiting).rejects.toThrow("aborted")]);
    await mirror.close();
    await expect(mirror.waitFor(11)).rejects.toMatchObject({
      cause: new Error("the mirror was closed"),
    });
    expect(mirror.value("/a/9")).toBe("nine");
    expect([etcd.watcher.closed, etcd.clock.pending]).toEqual([true, 0]);
  });

  test("comes with the client's, and between two attempts as well", async () => {
    const { etcd, mirror } = await loaded();
    const told = vi.fn();
    mirror.on("error", told);
    etcd.watcher.fail(new Error("cut"));
    await settled();
    etcd.close();
    await mirror.close();
    expect(told).toHaveBeenCalledOnce();
    expect([etcd.watchers.length, etcd.clock.pending]).toEqual([1, 0]);
  });

  test("comes with a signal's", async () => {
    const etcd = new ScriptedClient();
    const stop = new AbortController();
    const mirror = new Mirror(etcd, "/a", { signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(mirror.ready).rejects.toMatchObject({
      name: "AbortError",
      message: "loading the mirror of /a was aborted",
      cause: new Error("enough"),
    });
    expect(etcd.watcher.closed).toBe(true);
  });

  test("comes with a watch that ends by itself", async () => {
    const { etcd, mirror } = await loaded();
    const errors: string[] = [];
    mirror.on("error", ({ message }) => errors.push(message));
    etcd.watcher.close();
    await settled();
    expect(errors).toEqual(["the watch has ended"]);
    await expect(mirror.waitFor(11)).rejects.toMatchObject({
      cause: new Error("the watch has ended"),
    });
  });

  test("can be left to await using", async () => {
    const etcd = new ScriptedClient();
    {
      await using mirror = new Mirror(etcd, "/a");
      etcd.watcher.tell(resync(STATE, 10));
      await mirror.ready;
    }
    expect(etcd.watcher.closed).toBe(true);
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

test("options of the watch are passed on", async () => {
  const etcd = new ScriptedClient();
  const mirror = new Mirror(etcd, "/a/", { pollInterval: 5, bufferSize: 7 });
  onTestFinished(() => mirror.close());
  expect(etcd.watcher.key).toBe("/a");
  expect(etcd.watcher.options).toMatchObject({
    ...{ recursive: true, initial: true, pollInterval: 5, bufferSize: 7 },
  });
});
