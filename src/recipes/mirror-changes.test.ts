import { describe, expect, onTestFinished, test, vi } from "vitest";
import { brief, keysOf, loaded, STATE } from "../../test/support/loaded-mirror.js";
import {
  change,
  directory,
  file,
  removal,
  resync,
  ScriptedClient,
  settled,
} from "../../test/support/scripted-client.js";
import { Mirror } from "./mirror/mirror.js";

describe("events", () => {
  test("move the index, and are told with the node before and after", async () => {
    const { mirror, deliver, changes } = await loaded();
    const [before, after] = [file("/a/9", "nine", 6), file("/a/9", "9", 11)];
    await deliver(change("compareAndSwap", after, before));
    expect(mirror.index).toBe(11);
    expect(mirror.get("/a/9")).toBe(after);
    expect(changes).toEqual([
      { action: "compareAndSwap", key: "/a/9", node: after, prevNode: before },
    ]);
  });

  test("a write with the value that was there is a change too", async () => {
    const { deliver, changes } = await loaded();
    await deliver(change("set", file("/a/9", "nine", 11), file("/a/9", "nine", 6)));
    expect(brief(changes)).toEqual(["set /a/9: nine -> nine"]);
  });

  test("directories made on the way have the index of what made them", async () => {
    const { mirror, deliver, changes } = await loaded(null);
    await deliver(change("set", file("/a/b/c", "1", 11)));
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
      const { mirror, deliver, changes } = await loaded();
      await deliver(removal(action, directory("/a/d", 7), 11));
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
    const { mirror, deliver } = await loaded();
    const seen = new Set<string>();
    mirror.on("change", () => seen.add(`${mirror.index}: ${keysOf(mirror)}`));
    await deliver(removal("delete", directory("/a/d", 7), 11));
    expect([...seen]).toEqual(["11: /a,/a/10,/a/9"]);
  });

  test("a directory above the mirrored key takes all with it", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/top/a");
    onTestFinished(() => mirror.close());
    etcd.watcher.deliver(resync(directory("/top/a", 4, [file("/top/a/x", "1", 5)]), 10));
    etcd.watcher.deliver(removal("delete", directory("/top", 4), 11));
    await settled();
    expect([...mirror]).toEqual([]);
    etcd.watcher.deliver(change("set", file("/top/a/y", "2", 12)));
    await settled();
    expect(keysOf(mirror)).toEqual(["/top/a", "/top/a/y"]);
  });

  test("a directory deleted and made again is empty", async () => {
    const { mirror, deliver } = await loaded();
    await deliver(
      removal("delete", directory("/a/d", 7), 11),
      change("create", directory("/a/d", 12)),
    );
    expect(mirror.list("/a/d")).toEqual([]);
    expect(mirror.get("/a/d")).toEqual(directory("/a/d", 12));
    expect(keysOf(mirror.list("/a"))).toEqual(["/a/10", "/a/9", "/a/d"]);
  });

  test("a file becomes a directory", async () => {
    const { mirror, deliver, changes } = await loaded();
    await deliver(change("set", directory("/a/9", 11), file("/a/9", "nine", 6)));
    await deliver(change("set", file("/a/9/x", "1", 12)));
    expect(keysOf(mirror.list("/a"))).toEqual(["/a/10", "/a/9", "/a/d"]);
    expect(keysOf(mirror.list("/a/9"))).toEqual(["/a/9/x"]);
    expect(brief(changes)).toEqual(["set /a/9: nine -> dir", "set /a/9/x: undefined -> 1"]);
  });

  test("an update of a directory leaves what is in it, and its index, as etcd does", async () => {
    const { mirror, deliver } = await loaded();
    const expiring = { ...directory("/a/d", 7), expiration: "2030-01-01T00:00:00Z", ttl: 5 };
    await deliver(change("update", { ...expiring, modifiedIndex: 11 }, directory("/a/d", 7)));
    expect(mirror.get("/a/d")).toEqual(expiring);
    expect(mirror.list("/a/d")).toHaveLength(2);
  });

  test("the removal of what the mirror never had changes nothing", async () => {
    const { mirror, deliver, changes } = await loaded();
    await deliver(removal("delete", file("/a/none", "", 5), 11));
    expect([mirror.index, changes]).toEqual([11, []]);
  });
});

describe("a resync", () => {
  test("serves the old copy until the new one is there, then tells the differences", async () => {
    const { mirror, deliver, changes } = await loaded();
    const seen: unknown[] = [];
    mirror.on("resync", (resync) => seen.push(resync, changes.length));
    const after = directory("/a", 4, [
      file("/a/10", "ten", 15),
      directory("/a/9", 16, [file("/a/9/x", "new", 16)]),
      file("/a/d", "file", 17),
    ]);
    await deliver(resync(after, 20, "history-cleared"));
    expect(brief(changes)).toEqual([
      "resync /a/d/e/y: 2 -> undefined",
      "resync /a/d/e: dir -> undefined",
      "resync /a/d/x: 1 -> undefined",
      "resync /a/9: nine -> dir",
      "resync /a/9/x: undefined -> new",
      "resync /a/d: dir -> file",
    ]);
    expect(seen).toEqual([{ reason: "history-cleared", index: 20 }, 6]);
    expect(mirror.index).toBe(20);
  });

  test("ignores what differs in indexes and the moment of expiry alone, but keeps it", async () => {
    const before = file("/a/x", "1", 5, { expiration: "2030-01-01T00:00:00Z", ttl: 5 });
    const after = file("/a/x", "1", 15, { expiration: "2030-01-01T00:01:00Z", ttl: 65 });
    const { mirror, deliver, changes } = await loaded(directory("/a", 4, [before]));
    await deliver(resync(directory("/a", 4, [after]), 20, "history-cleared"));
    expect(changes).toEqual([]);
    expect(mirror.get("/a/x")).toBe(after);
  });

  test("tells of a TTL that came or went", async () => {
    const expiring = file("/a/x", "1", 15, { expiration: "2030-01-01T00:01:00Z", ttl: 65 });
    const { deliver, changes } = await loaded(directory("/a", 4, [file("/a/x", "1", 5)]));
    await deliver(resync(directory("/a", 4, [expiring]), 20, "history-cleared"));
    expect(brief(changes)).toEqual(["resync /a/x: 1 -> 1"]);
  });

  test("without the key empties the mirror", async () => {
    const { mirror, deliver, changes } = await loaded();
    await deliver(resync(null, 20, "slow-consumer"));
    expect([...mirror]).toEqual([]);
    expect(changes).toHaveLength(7);
  });

  test("of another cluster sets the index back, and those who wait for one are told", async () => {
    const { mirror, deliver } = await loaded();
    const waiting = expect(mirror.waitFor(11)).rejects.toMatchObject({
      name: "AbortError",
      cause: new Error("another cluster responds, where the index has no meaning"),
    });
    await deliver(resync(STATE, 5, "cluster-changed", "beef"));
    await waiting;
    expect(mirror.index).toBe(5);
  });

  test("of the same cluster, as a backup had it, does so too", async () => {
    const { mirror, deliver } = await loaded();
    const waiting = expect(mirror.waitFor(11)).rejects.toMatchObject({ name: "AbortError" });
    await deliver(resync(STATE, 5));
    await waiting;
    expect(mirror.index).toBe(5);
  });

  test("the first load is told as such, without changes", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/a");
    onTestFinished(() => mirror.close());
    const told = vi.fn();
    mirror.on("change", told).on("resync", told);
    etcd.watcher.deliver(resync(STATE, 10));
    await settled();
    expect(told.mock.calls).toEqual([[{ reason: "initial", index: 10 }]]);
  });
});

describe("listeners", () => {
  test("one that throws, or rejects, hinders neither the others nor the mirror", async () => {
    const { mirror, deliver, changes } = await loaded();
    const errors: string[] = [];
    mirror.on("error", ({ message }) => errors.push(message));
    mirror.prependListener("change", () => {
      throw new Error("mine");
    });
    mirror.prependListener("change", async () => Promise.reject(new Error("mine, later")));
    await deliver(change("set", file("/a/x", "1", 11)), change("set", file("/a/y", "1", 12)));
    expect(keysOf(changes.map(({ node }) => node ?? STATE))).toEqual(["/a/x", "/a/y"]);
    expect(errors.sort()).toEqual(["mine", "mine", "mine, later", "mine, later"]);
  });

  test("once is once", async () => {
    const { mirror, deliver } = await loaded();
    const listener = vi.fn();
    mirror.once("change", listener);
    await deliver(change("set", file("/a/x", "1", 11)), change("set", file("/a/y", "1", 12)));
    expect(listener).toHaveBeenCalledOnce();
  });

  test("errors that nobody listens for, or a listener of errors throws, are warnings", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const { mirror, deliver } = await loaded();
    mirror.on("change", () => {
      throw "no error";
    });
    await deliver(change("set", file("/a/x", "1", 11)));
    mirror.on("error", () => {
      throw new Error("not even that");
    });
    await deliver(change("set", file("/a/x", "2", 12)));
    expect(warn.mock.calls).toEqual([
      [new Error("thrown: 'no error'")],
      [new Error("not even that")],
    ]);
    expect(mirror.value("/a/x")).toBe("2");
  });

  test("are told nothing more once one of them has closed the mirror", async () => {
    const { mirror, deliver, changes } = await loaded();
    mirror.on("change", () => void mirror.close());
    await deliver(
      removal("delete", directory("/a/d", 7), 11),
      change("set", file("/a/x", "1", 12)),
    );
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
