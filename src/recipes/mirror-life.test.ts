import { describe, expect, onTestFinished, test, vi } from "vitest";
import { brief, loaded, STATE } from "../../test/support/loaded-mirror.js";
import {
  change,
  directory,
  file,
  resync,
  ScriptedClient,
  settled,
} from "../../test/support/scripted-client.js";
import { Mirror } from "./mirror/mirror.js";

describe("waiting for an index", () => {
  test("ends with the event that has it, when the mirror shows it", async () => {
    const { mirror, deliver } = await loaded();
    const value = mirror.waitFor(11).then(() => mirror.value("/a/x"));
    await deliver(change("set", file("/a/x", "1", 11)));
    expect(await value).toBe("1");
  });

  test("is over at once for an index that was reached", async () => {
    const { mirror } = await loaded();
    await mirror.waitFor(10);
  });

  test("ends when the quiet watch is known to have come that far", async () => {
    const { etcd, mirror } = await loaded();
    const waiting = mirror.waitFor(15);
    etcd.watcher.prove(14);
    await settled();
    expect(mirror.index).toBeLessThan(15);
    etcd.watcher.prove(15);
    await waiting;
    expect(mirror.index).toBe(15);
    expect(etcd.clock.pending).toBe(0);
  });

  test("waits for the first load too", async () => {
    const etcd = new ScriptedClient();
    const mirror = new Mirror(etcd, "/a");
    onTestFinished(() => mirror.close());
    const waiting = mirror.waitFor(0).then(() => mirror.has("/a"));
    etcd.watcher.deliver(resync(STATE, 10));
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
    await expect(mirror.waitFor(1, { timeout: 5 } as object)).rejects.toThrow(/^timeout: is not/);
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
    etcd.clock.advance(500);
    await settled();
    expect(etcd.watchers).toHaveLength(2);
    etcd.watcher.deliver(resync(STATE, 10));
    await settled();
    expect(mirror.has("/a/d/x")).toBe(true);
  });

  test("later ones leave the copy, and what was missed is told as differences", async () => {
    const { etcd, mirror, changes } = await loaded(directory("/a", 4, [file("/a/x", "1", 5)]));
    mirror.on("error", () => {});
    etcd.watcher.fail(new Error("for a while"));
    await settled();
    expect(mirror.value("/a/x")).toBe("1");
    etcd.clock.advance(500);
    await settled();
    etcd.watcher.deliver(resync(directory("/a", 4, [file("/a/x", "2", 15)]), 20));
    await settled();
    expect(brief(changes)).toEqual(["resync /a/x: 1 -> 2"]);
  });

  test("attempts are farther and farther apart", async () => {
    const { etcd, mirror } = await loaded();
    mirror.on("error", () => {});
    for (let failures = 1; failures <= 4; failures++) {
      etcd.watcher.fail(new Error("again"));
      await settled();
      etcd.clock.advance(250 * 2 ** (failures - 1) - 1);
      await settled();
      expect(etcd.watchers).toHaveLength(failures);
      etcd.clock.advance(250 * 2 ** (failures - 1) + 1);
      await settled();
      expect(etcd.watchers).toHaveLength(failures + 1);
    }
  });

  test("staleFor counts from the last contact, over watches too", async () => {
    const { etcd, mirror } = await loaded();
    mirror.on("error", () => {});
    etcd.clock.advance(1000);
    expect(mirror.staleFor).toBe(1000);
    etcd.watcher.currentAt = etcd.clock.monotonic();
    expect(mirror.staleFor).toBe(0);
    etcd.watcher.fail(new Error("cut"));
    await settled();
    etcd.clock.advance(700);
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
      etcd.watcher.deliver(resync(STATE, 10));
      await mirror.ready;
    }
    expect(etcd.watcher.closed).toBe(true);
  });
});
