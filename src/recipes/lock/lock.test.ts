import { beforeEach, describe, expect, test } from "vitest";
import { type Fate, Stage, type StageProcess, settle } from "../../../test/recipes/stage.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import type { KeyRequest } from "../../model/key-request.js";
import { Lock } from "./lock.js";
import type { LockHandle } from "./lock-handle.js";

const down = { fail: new ClusterUnavailableError("…", []) };

let stage: Stage;
let alice: StageProcess;
let bob: StageProcess;

beforeEach(() => {
  stage = new Stage();
  alice = stage.process();
  bob = stage.process();
});

const lockOf = ({ etcd }: StageProcess): Lock => new Lock(etcd, "/lock");

async function contenderCount(): Promise<number> {
  await settle();
  return Object.keys(await stage.list("/lock")).length;
}

/** A pending acquisition, and its result. */
function trying(lock: Lock, options: Parameters<Lock["acquire"]>[0] = {}) {
  const attempt: { held?: LockHandle; error?: unknown; readonly done: Promise<void> } = {
    done: lock.acquire(options).then(
      (held) => {
        attempt.held = held;
      },
      (error: unknown) => {
        attempt.error = error;
      },
    ),
  };
  return attempt;
}

async function expectNothingLeft(): Promise<void> {
  await settle();
  expect(await contenderCount()).toBe(0);
  expect(stage.leftovers).toBe(0);
}

/** The next matching request has this fault. */
function once({ way }: StageProcess, action: KeyRequest["action"], fate: Fate): void {
  way.fate = (request) => {
    if (request.action !== action) return undefined;
    way.fate = () => undefined;
    return fate;
  };
}

describe("a lock", () => {
  test("has one holder after the other, in the order of the calls, with rising tokens", async () => {
    const order: string[] = [];
    const tokens: number[] = [];
    const work = async (name: string, process: StageProcess): Promise<void> => {
      const held = await lockOf(process).acquire();
      order.push(name);
      tokens.push(held.fencingToken);
      await settle();
      expect(order.at(-1)).toBe(name);
      await held.release();
    };
    await Promise.all(["a", "b", "c", "d"].map((name, at) => work(name, at % 2 ? bob : alice)));
    expect(order).toEqual(["a", "b", "c", "d"]);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    await expectNothingLeft();
  });

  test("is renewed from the start with one request each time", async () => {
    const held = await lockOf(alice).acquire();
    const before = alice.way.requests.length;
    await stage.pass(8_000);
    const renewals = alice.way.requests.slice(before);
    expect(renewals.length).toBeGreaterThan(1);
    expect(new Set(renewals.map(({ action }) => action))).toEqual(new Set(["compareAndSwap"]));
    await held.release();
    await expectNothingLeft();
  });

  test("wakes only the next in line when it is released", async () => {
    const held = await lockOf(alice).acquire();
    const waiting = [trying(lockOf(bob))];
    for (let count = 1; count < 10; count++) {
      await settle();
      waiting.push(trying(lockOf(bob)));
    }
    await settle();
    bob.way.requests.length = 0;
    await held.release();
    await settle();
    expect(waiting.filter((attempt) => attempt.held !== undefined)).toEqual([waiting[0]]);
    expect(bob.way.requests.map(({ action }) => action)).toEqual(["get"]);
    await alice.etcd.close();
    await bob.etcd.close();
  });

  test("keeps its holder and waiters far beyond its TTL", async () => {
    const held = await lockOf(alice).acquire({ data: "alice" });
    const next = trying(lockOf(bob), { data: "bob" });
    await stage.pass(120_000);
    held.assertHeld();
    expect(next.held).toBeUndefined();
    expect(Object.values(await stage.list("/lock"))).toEqual([
      expect.stringMatching(/^[\da-f-]{36} alice$/),
      expect.stringMatching(/^[\da-f-]{36} bob$/),
    ]);
    await held.release();
    await next.done;
    expect(next.held?.fencingToken).toBeGreaterThan(held.fencingToken);
    await next.held?.release();
    await expectNothingLeft();
  });

  test("is released at the end of a block", async () => {
    {
      await using held = await lockOf(alice).acquire();
      held.assertHeld();
      expect(await contenderCount()).toBe(1);
    }
    await expectNothingLeft();
  });

  test("two clients with the same data do not conflict: each attempt has its own id", async () => {
    const held = await lockOf(alice).acquire({ data: "same" });
    const next = trying(lockOf(bob), { data: "same" });
    await stage.pass(1_000);
    expect(next.held).toBeUndefined();
    await held.release();
    await next.done;
    next.held?.assertHeld();
    await next.held?.release();
    await expectNothingLeft();
  });

  test("can be tried without waiting", async () => {
    const held = await lockOf(alice).tryAcquire();
    expect(held).not.toBeNull();
    expect(await lockOf(bob).tryAcquire()).toBeNull();
    expect(await contenderCount()).toBe(1);
    await held?.release();
    const again = await lockOf(bob).tryAcquire();
    expect(again).not.toBeNull();
    await again?.release();
    await expectNothingLeft();
  });

  test("has one holder if two clients try at the same time", async () => {
    const both = await Promise.all([lockOf(alice).tryAcquire(), lockOf(bob).tryAcquire()]);
    expect(both.filter((held) => held !== null)).toHaveLength(1);
    for (const held of both) await held?.release();
    await expectNothingLeft();
  });
});

describe("a holder", () => {
  test("that was paused beyond its TTL fails as soon as it resumes, when another one holds the lock", async () => {
    const held = await lockOf(alice).acquire();
    const next = trying(lockOf(bob));
    await settle();
    await stage.pass(11_000, alice);
    await next.done;
    next.held?.assertHeld();
    expect(() => held.assertHeld()).toThrow("unconfirmed");
    expect(held.signal.aborted).toBe(true);
    await held.release();
    next.held?.assertHeld();
    await next.held?.release();
    await expectNothingLeft();
  });

  test("whose key was deleted by hand detects it at its next renewal", async () => {
    const held = await lockOf(alice).acquire();
    const next = trying(lockOf(bob));
    await settle();
    await stage.memory.execute({ action: "delete", key: held.key });
    await next.done;
    await stage.pass(3_400);
    expect(() => held.assertHeld()).toThrow("gone");
    expect(held.signal.aborted).toBe(true);
    await held.release();
    next.held?.assertHeld();
    await next.held?.release();
    await expectNothingLeft();
  });

  test("whose lock was deleted with its directory is no longer the holder, and the waiters join again", async () => {
    const held = await lockOf(alice).acquire();
    const next = trying(lockOf(bob));
    await settle();
    await stage.memory.execute({ action: "delete", key: "/lock", recursive: true });
    await next.done;
    await stage.pass(3_400);
    expect(held.signal.aborted).toBe(true);
    next.held?.assertHeld();
    await held.release();
    await next.held?.release();
    await expectNothingLeft();
  });

  test("loses the lock when its client is closed", async () => {
    const held = await lockOf(alice).acquire();
    const next = trying(lockOf(bob));
    await alice.etcd.close();
    expect(() => held.assertHeld()).toThrow("released");
    await stage.pass(11_000);
    next.held?.assertHeld();
    await next.held?.release();
    await expectNothingLeft();
  });
});

describe("a waiter", () => {
  test("removes its contender when aborted", async () => {
    const held = await lockOf(alice).acquire();
    const caller = new AbortController();
    const attempt = trying(lockOf(bob), { signal: caller.signal });
    await settle();
    expect(await contenderCount()).toBe(2);
    caller.abort(new Error("no longer needed"));
    await attempt.done;
    expect(attempt.error).toMatchObject({ name: "AbortError", cause: caller.signal.reason });
    expect(await contenderCount()).toBe(1);
    await held.release();
    await expectNothingLeft();
  });

  test("has removed its contender before it rejects, so that the client may be closed", async () => {
    const held = await lockOf(alice).acquire();
    let arrive = (): void => {};
    const attempt = trying(lockOf(bob), { timeout: 5_000 });
    await stage.pass(4_900);
    const holdUntil = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    once(bob, "compareAndDelete", { holdUntil });
    await stage.pass(200);
    expect(attempt.error).toBeUndefined();
    arrive();
    await attempt.done;
    expect(attempt.error).toMatchObject({ name: "TimeoutError", timeout: 5_000 });
    expect(await contenderCount()).toBe(1);
    await held.release();
    await expectNothingLeft();
  });

  test("rejects a second later if etcd does not respond", async () => {
    const held = await lockOf(alice).acquire();
    const attempt = trying(lockOf(bob), { timeout: 5_000 });
    await stage.pass(4_900);
    bob.way.fate = () => down;
    await stage.pass(1_050);
    expect(attempt.error).toBeUndefined();
    await stage.pass(50);
    expect(attempt.error).toMatchObject({ name: "TimeoutError", timeout: 5_000 });
    bob.way.fate = () => undefined;
    await stage.pass(10_000);
    await held.release();
    await expectNothingLeft();
  });

  test("removes its contender after the timeout", async () => {
    const held = await lockOf(alice).acquire();
    const attempt = trying(lockOf(bob), { timeout: 25_000 });
    await stage.pass(24_950);
    expect(attempt.error).toBeUndefined();
    await stage.pass(50);
    await attempt.done;
    expect(attempt.error).toMatchObject({ name: "TimeoutError", timeout: 25_000 });
    expect(await contenderCount()).toBe(1);
    await held.release();
    await expectNothingLeft();
  });

  test("stops waiting when its client is closed", async () => {
    const held = await lockOf(alice).acquire();
    const attempt = trying(lockOf(bob));
    await settle();
    await bob.etcd.close();
    await attempt.done;
    expect(attempt.error).toMatchObject({ name: "AbortError" });
    await held.release();
    await stage.pass(11_000);
    await expectNothingLeft();
  });

  test("is aborted when its client is closed, also between two requests", async () => {
    for (let turns = 0; turns < 40; turns++) {
      const { etcd } = stage.process();
      const lock = new Lock(etcd, `/lock/${turns}`);
      const done = lock.tryAcquire().then((held) => held?.release());
      const outcome = done.catch(({ name }: Error) => name);
      for (let turn = 0; turn < turns; turn++) await null;
      await etcd.close();
      expect(["AbortError", undefined]).toContain(await outcome);
      await expect(lock.acquire()).rejects.toMatchObject({ name: "AbortError" });
    }
  });

  test("does not pass an earlier waiter when the one between them leaves", async () => {
    const held = await lockOf(alice).acquire();
    const caller = new AbortController();
    const second = trying(lockOf(bob), { signal: caller.signal });
    await settle();
    const third = trying(lockOf(bob));
    await settle();
    caller.abort();
    await second.done;
    await stage.pass(1_000);
    expect(third.held).toBeUndefined();
    await held.release();
    await third.done;
    third.held?.assertHeld();
    await third.held?.release();
    await expectNothingLeft();
  });

  test("joins again when its contender was deleted by hand", async () => {
    const held = await lockOf(alice).acquire();
    const attempt = trying(lockOf(bob));
    await settle();
    const [, key = ""] = Object.keys(await stage.list("/lock"));
    await stage.memory.execute({ action: "delete", key });
    await stage.pass(3_400);
    expect(await contenderCount()).toBe(2);
    await held.release();
    await attempt.done;
    attempt.held?.assertHeld();
    await attempt.held?.release();
    await expectNothingLeft();
  });

  test("keeps its contender while etcd is unavailable for less than the TTL", async () => {
    const held = await lockOf(alice).acquire();
    const attempt = trying(lockOf(bob));
    await settle();
    const [, before] = Object.keys(await stage.list("/lock"));
    bob.way.fate = () => down;
    await stage.pass(5_000);
    await held.release();
    await settle();
    bob.way.fate = () => undefined;
    await stage.pass(1_000);
    expect(attempt.held?.key).toBe(before);
    await attempt.held?.release();
    await expectNothingLeft();
  });

  test("joins again after etcd was down for longer than the TTL", async () => {
    const held = await lockOf(alice).acquire();
    const attempt = trying(lockOf(bob));
    await settle();
    bob.way.fate = () => down;
    await stage.pass(60_000);
    expect([attempt.error, await contenderCount()]).toEqual([undefined, 1]);
    bob.way.fate = () => undefined;
    await stage.pass(1_000);
    expect(await contenderCount()).toBe(2);
    await held.release();
    await attempt.done;
    attempt.held?.assertHeld();
    await attempt.held?.release();
    await expectNothingLeft();
  });

  test("ignores other nodes in the directory", async () => {
    for (const key of ["/lock/note", "/lock/_hidden"]) {
      await stage.memory.execute({ action: "set", key, value: "by hand" });
    }
    await stage.memory.execute({ action: "create", key: "/lock", inOrder: true, dir: true });
    const held = await lockOf(alice).acquire();
    held.assertHeld();
    await held.release();
  });

  test("works in a namespace", async () => {
    const held = await lockOf(alice).acquire();
    const etcd = bob.etcd.namespace("/lock");
    const inner = await new Lock(etcd, "/lock").acquire();
    expect(inner.key).toMatch(/^\/lock\/\d+$/);
    inner.assertHeld();
    await inner.release();
    await held.release();
  });

  test("waits for an in-order key that was created by hand", async () => {
    await stage.memory.execute({ action: "set", key: "/lock/3", value: "by hand" });
    const attempt = trying(lockOf(bob));
    await stage.pass(30_000);
    expect(attempt.held).toBeUndefined();
    await stage.memory.execute({ action: "delete", key: "/lock/3" });
    await attempt.done;
    await attempt.held?.release();
    await expectNothingLeft();
  });
});

describe("a contender whose response is lost", () => {
  test("is found by its value", async () => {
    once(bob, "create", "response lost");
    const held = await lockOf(bob).acquire();
    expect(await contenderCount()).toBe(1);
    await held.release();
    await expectNothingLeft();
  });

  test("is created again when etcd never received the request", async () => {
    once(bob, "create", "request lost");
    const held = await lockOf(bob).acquire();
    expect(await contenderCount()).toBe(1);
    await held.release();
    await expectNothingLeft();
  });

  test("is removed when it is created late, behind the second one", async () => {
    const { arrive, arriveWhen } = later();
    once(bob, "create", { arriveWhen });
    const held = await lockOf(bob).acquire();
    arrive();
    expect(await contenderCount()).toBe(2);
    await held.release();
    await expectNothingLeft();
  });

  test("is removed when it is created late, before the second one", async () => {
    const [stray, contender] = [later(), later()];
    const fates: Fate[] = [{ arriveWhen: stray.arriveWhen }, { holdUntil: contender.arriveWhen }];
    bob.way.fate = ({ action }) => (action === "create" ? fates.shift() : undefined);
    const second = trying(lockOf(bob));
    await settle();
    stray.arrive();
    await settle();
    const first = trying(lockOf(alice));
    await settle();
    expect(first.held).toBeUndefined();
    contender.arrive();
    await settle();
    first.held?.assertHeld();
    expect(await contenderCount()).toBe(2);
    await first.held?.release();
    await second.done;
    await second.held?.release();
    await expectNothingLeft();
  });

  test("does not block others forever when it is created after the release", async () => {
    const { arrive, arriveWhen } = later();
    once(bob, "create", { arriveWhen });
    const held = await lockOf(bob).acquire();
    await held.release();
    arrive();
    expect(await contenderCount()).toBe(1);
    const next = trying(lockOf(alice));
    await stage.pass(11_000);
    next.held?.assertHeld();
    await next.held?.release();
    await expectNothingLeft();
  });

  test("is removed when the caller has aborted", async () => {
    bob.way.fate = ({ action }) => (action === "create" ? { respondAfter: 5_000 } : undefined);
    const caller = new AbortController();
    const attempt = trying(lockOf(bob), { signal: caller.signal });
    await settle();
    expect(await contenderCount()).toBe(1);
    caller.abort();
    await attempt.done;
    expect(attempt.error).toMatchObject({ name: "AbortError" });
    await expectNothingLeft();
  });

  function later() {
    let arrive = (): void => {};
    const arriveWhen = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    return { arrive, arriveWhen };
  }
});

describe("invalid input", () => {
  test("the key is a file", async () => {
    await stage.memory.execute({ action: "set", key: "/lock", value: "file" });
    await expect(lockOf(alice).acquire()).rejects.toMatchObject({ code: "ETCD_NOT_DIR" });
    await expect(lockOf(alice).tryAcquire()).rejects.toMatchObject({ code: "ETCD_NOT_DIR" });
    expect(stage.leftovers).toBe(0);
  });

  test("etcd is unavailable: no contender can be created", async () => {
    alice.way.fate = () => down;
    await expect(lockOf(alice).acquire()).rejects.toBe(down.fail);
    expect(stage.leftovers).toBe(0);
  });

  test("a TTL shorter than the round trip", async () => {
    alice.way.fate = ({ action }) => (action === "create" ? { respondAfter: 950 } : undefined);
    const attempt = trying(new Lock(alice.etcd, "/lock", { ttl: 1 }));
    await stage.pass(1_000);
    await attempt.done;
    expect(attempt.error).toMatchObject({ name: "OwnershipLostError", reason: "unconfirmed" });
    await expectNothingLeft();
  });

  test("a signal that is already aborted", async () => {
    const attempt = trying(lockOf(alice), { signal: AbortSignal.abort() });
    await attempt.done;
    expect(attempt.error).toMatchObject({ name: "AbortError" });
    expect(stage.memory.stats.createSuccess).toBe(0);
  });

  test.each([
    [() => new Lock(alice.etcd, "lock"), /^key: "lock" must begin with "\/"/],
    [() => new Lock(alice.etcd, "/lock", { ttl: 0 }), /^ttl: must be a whole number/],
    [
      () => new Lock(alice.etcd, "/lock", { tl: 3 } as object),
      /^tl: is not an option of this call/,
    ],
  ])("%s is refused", (make, message) => {
    expect(make).toThrow(message);
  });

  test("undefined options count as absent", async () => {
    const options = { ttl: undefined, safetyMargin: undefined } as object;
    const held = await new Lock(alice.etcd, "/lock", options).acquire({
      timeout: undefined,
      data: undefined,
      signal: undefined,
    } as object);
    await held.release();
    await expectNothingLeft();
  });

  test.each([
    [{ timeout: -1 }, /^timeout: must be a whole number of milliseconds/],
    [{ timeout: 1.5 }, /^timeout: must be a whole number of milliseconds/],
    [{ data: 5 }, /^data: must be a string, not number/],
    [{ timeOut: 5 }, /^timeOut: is not an option of this call/],
  ])("acquire(%o) is refused", async (options, message) => {
    await expect(lockOf(alice).acquire(options as object)).rejects.toThrow(message);
    expect(bob.way.requests.concat(alice.way.requests)).toEqual([]);
  });
});
