import { beforeEach, describe, expect, test } from "vitest";
import { Stage, type StageProcess, settle } from "../../../test/recipes/stage.js";
import { ClusterUnavailableError } from "../../errors/cluster-errors.js";
import { isEtcdError } from "../../errors/is-etcd-error.js";
import { OwnershipLostError } from "../../errors/ownership-lost-error.js";
import { KeepAlive } from "./keep-alive.js";
import type { KeepAliveOptions } from "./keep-alive-options.js";

const down = { fail: new ClusterUnavailableError("PUT /k", []) };

let stage: Stage;
let owner: StageProcess;

beforeEach(() => {
  stage = new Stage();
  owner = stage.process();
});

function keep(options: Partial<KeepAliveOptions> = {}, value = "mine"): Promise<KeepAlive> {
  return KeepAlive.create(owner.etcd, "/k", value, { ttl: 10, ...options });
}

/** The events of a kept key, in order. */
function record(kept: KeepAlive): string[] {
  const told: string[] = [];
  kept.on("renewed", () => told.push("renewed"));
  kept.on("lost", ({ reason }) => told.push(`lost: ${reason}`));
  kept.on("recreated", () => told.push("recreated"));
  return told;
}

async function write(key: string, value: string): Promise<void> {
  await stage.memory.execute({ action: "set", key, value });
}

describe("a key that is kept alive", () => {
  test("outlives its TTL, without events for watchers", async () => {
    const kept = await keep();
    const told = record(kept);
    const watch = await stage.memory.openWatch({ key: "/k", stream: true });
    const heard: string[] = [];
    const reading = (async () => {
      for await (const { action } of watch) heard.push(action);
    })();
    await stage.pass(60_000);
    expect(await stage.value("/k")).toBe("mine");
    expect(told.filter((event) => event === "renewed").length).toBeGreaterThanOrEqual(17);
    expect(told).not.toContain("lost");
    expect(heard).toEqual([]);
    watch.close();
    await reading;
    await kept.close();
  });

  test("is deleted by close, which leaves no timer, listener or event behind", async () => {
    const kept = await keep();
    const told = record(kept);
    await kept.close();
    await settle();
    expect(await stage.value("/k")).toBeUndefined();
    expect(stage.leftovers).toBe(0);
    expect(kept.signal.aborted).toBe(true);
    expect(() => kept.assertHeld()).toThrow(expect.objectContaining({ reason: "released" }));
    expect(told).toEqual([]);
  });

  test("expires with its TTL when the client is closed first", async () => {
    const kept = await keep();
    await owner.etcd.close();
    expect(kept.signal.aborted).toBe(true);
    expect(kept.lost?.reason).toBe("released");
    await kept.close();
    expect(stage.leftovers).toBe(0);
    await stage.pass(11_000);
    expect(await stage.value("/k")).toBeUndefined();
  });

  test("accepts a new value, which proves the ownership", async () => {
    const kept = await keep();
    await kept.update("still mine");
    await stage.pass(30_000);
    expect(await stage.value("/k")).toBe("still mine");
    expect(kept.value).toBe("still mine");
    expect(kept.lost).toBeUndefined();
    await kept.close();
  });

  test("rejects an update that etcd refuses, and is still owned", async () => {
    const kept = await keep();
    const refusal = new Error("no leave to write that");
    owner.way.fate = (request) =>
      "value" in request && request.value === "bad" ? { fail: refusal } : undefined;
    const update = kept.update("bad").catch((error: unknown) => error);
    await stage.pass(20_000);
    expect(await update).toBe(refusal);
    kept.assertHeld();
    await kept.update("good");
    expect(await stage.value("/k")).toBe("good");
    await kept.close();
    expect(await stage.value("/k")).toBeUndefined();
  });

  test("accepts several values in order, also if a response is lost", async () => {
    const kept = await keep();
    let lost = 1;
    owner.way.fate = (request) =>
      "value" in request && request.value === "first" && lost-- > 0 ? "response lost" : undefined;
    const updates = Promise.all([kept.update("first"), kept.update("second")]);
    await stage.pass(2_000);
    await updates;
    expect(kept.lost).toBeUndefined();
    expect([kept.value, await stage.value("/k")]).toEqual(["second", "second"]);
    await kept.close();
  });

  test.each(["response lost", "request lost"] as const)(
    "accepts a new value although the first attempt ended with %s",
    async (fate) => {
      const kept = await keep();
      let troubles = 1;
      owner.way.fate = () => (troubles-- > 0 ? fate : undefined);
      const updated = kept.update("new");
      await stage.pass(5_000);
      await updated;
      await stage.pass(30_000);
      expect(await stage.value("/k")).toBe("new");
      expect(kept.lost).toBeUndefined();
      await kept.close();
    },
  );
});

describe("a key that is lost", () => {
  test.each([
    ["deleted", "gone", () => stage.memory.execute({ action: "delete", key: "/k" })],
    ["given another value", "taken-over", () => write("/k", "another's")],
    [
      "made a directory",
      "taken-over",
      () => stage.memory.execute({ action: "set", key: "/k", dir: true }),
    ],
  ])(
    "because it was %s: it emits lost, aborts, and does not change the key",
    async (_how, reason, act) => {
      const kept = await keep();
      const told = record(kept);
      await act();
      const changed = await stage.memory.execute({ action: "get", key: "/" });
      await stage.pass(4_000);
      expect(told).toEqual([`lost: ${reason}`]);
      expect(isEtcdError(kept.signal.reason, "OwnershipLost")).toBe(true);
      expect(() => kept.assertHeld()).toThrow(reason);
      await kept.close();
      const { node } = await stage.memory.execute({ action: "get", key: "/" });
      expect(node.nodes).toEqual(changed.node.nodes);
      expect(stage.leftovers).toBe(0);
    },
  );

  test("because its directory became a file", async () => {
    const kept = await KeepAlive.create(owner.etcd, "/d/k", "mine", { ttl: 10 });
    await stage.memory.execute({ action: "delete", key: "/d", recursive: true });
    await write("/d", "file");
    await stage.pass(4_000);
    expect(kept.lost?.reason).toBe("gone");
    await kept.close();
  });

  test("because etcd does not respond: a tenth of the TTL before it can expire", async () => {
    const kept = await keep();
    const told = record(kept);
    owner.way.fate = () => down;
    await stage.pass(8_950);
    expect(kept.lost).toBeUndefined();
    expect(told).toEqual([]);
    await stage.pass(50);
    expect(kept.signal.aborted).toBe(true);
    await settle();
    expect(told).toEqual(["lost: unconfirmed"]);
    expect(kept.lost?.cause).toBe(down.fail);
    expect(await stage.value("/k")).toBe("mine");
    owner.way.fate = () => undefined;
    await kept.close();
    expect(await stage.value("/k")).toBeUndefined();
  });

  test("a refresh is retried after failures", async () => {
    const kept = await keep();
    let troubles = 6;
    owner.way.fate = () =>
      troubles-- > 0 ? (["response lost", "request lost", down] as const)[troubles % 3] : undefined;
    await stage.pass(30_000);
    expect(kept.lost).toBeUndefined();
    expect(await stage.value("/k")).toBe("mine");
    await kept.close();
  });

  test("a refresh that is applied late does not set the expiry back", async () => {
    const kept = await keep({ safetyMargin: 0 });
    const arriveWhen = new Promise<void>((resolve) => stage.clock.after(8_000, resolve));
    owner.way.fate = () => {
      owner.way.fate = () => down;
      return { arriveWhen };
    };
    // Sent at 3.3 s, for 10 s. It arrives at 8 s.
    await stage.pass(5_500);
    // The only successful one, after 5.5 s: proof until 15.5 s at least.
    owner.way.fate = () => undefined;
    await stage.pass(700);
    owner.way.fate = () => down;
    await stage.pass(8_300);
    kept.assertHeld();
    expect(await stage.value("/k")).toBe("mine");
    await stage.pass(3_000);
    expect(kept.lost?.reason).toBe("unconfirmed");
    owner.way.fate = () => undefined;
    await kept.close();
  });

  test("a refresh is a proof from the time when it was sent, not from its response", async () => {
    const kept = await keep();
    owner.way.fate = () => ({ respondAfter: 5_000 });
    // Sent after 3.3 s, with a response at 8.3 s: proof until 12.3 s at the latest, 9 s later.
    await stage.pass(8_400);
    expect(kept.lost).toBeUndefined();
    owner.way.fate = () => down;
    await stage.pass(4_000);
    expect(kept.lost?.reason).toBe("unconfirmed");
    owner.way.fate = () => undefined;
    await kept.close();
  });
});

describe("assertHeld after a pause", () => {
  test.each([
    ["both clocks", { monotonic: 9_000, wall: 9_000 }],
    [
      "the monotonic clock, while the wall clock is set back",
      { monotonic: 9_000, wall: -3_600_000 },
    ],
    ["only the wall clock, as after a sleep of the machine", { wall: 9_000 }],
  ])("fails at once by %s, before any timer runs", async (_which, jump) => {
    const kept = await keep();
    kept.assertHeld();
    owner.clock.jump(jump);
    expect(() => kept.assertHeld()).toThrow(OwnershipLostError);
    expect(() => kept.assertHeld()).toThrow("unconfirmed");
    expect(kept.signal.aborted).toBe(true);
    await settle();
    await kept.close();
  });

  test("a loss is final, even if etcd still has the key", async () => {
    const kept = await keep();
    owner.clock.jump({ monotonic: 9_000 });
    expect(kept.lost?.reason).toBe("unconfirmed");
    await stage.pass(20_000);
    expect(() => kept.assertHeld()).toThrow("unconfirmed");
    await kept.close();
  });

  test("the signal aborts by itself when timers run again", async () => {
    const kept = await keep();
    owner.clock.jump({ monotonic: 20_000, wall: 20_000 });
    expect(kept.signal.aborted).toBe(false);
    await owner.clock.pass(0);
    expect(kept.signal.aborted).toBe(true);
    await kept.close();
  });

  test("safetyMargin sets the margin", async () => {
    const kept = await keep({ safetyMargin: 4_000 });
    owner.clock.jump({ monotonic: 5_999 });
    kept.assertHeld();
    owner.clock.jump({ monotonic: 1 });
    expect(() => kept.assertHeld()).toThrow(OwnershipLostError);
    await kept.close();
  });
});

describe("creation", () => {
  test("fails when the key exists", async () => {
    await write("/k", "another's");
    await expect(keep()).rejects.toMatchObject({ code: "ETCD_NODE_EXIST" });
    expect(stage.leftovers).toBe(0);
  });

  test("adopts a key with the same value, and no other", async () => {
    await stage.memory.execute({ action: "set", key: "/k", value: "mine", ttl: 1 });
    const kept = await keep({ ifExists: "adopt" });
    await stage.pass(5_000);
    expect(await stage.value("/k")).toBe("mine");
    await kept.close();
    await write("/k", "another's");
    await expect(keep({ ifExists: "adopt" })).rejects.toMatchObject({ code: "ETCD_NODE_EXIST" });
  });

  test("replaces the key of another owner with the option, and that owner loses it", async () => {
    const other = stage.process();
    const before = await KeepAlive.create(other.etcd, "/k", "other", { ttl: 10 });
    const kept = await keep({ ifExists: "replace" });
    await stage.pass(4_000);
    expect(before.lost?.reason).toBe("taken-over");
    expect(kept.lost).toBeUndefined();
    await before.close();
    expect(await stage.value("/k")).toBe("mine");
    await kept.close();
  });

  test.each(["response lost", "request lost"] as const)(
    "replaces the key of another owner despite: %s",
    async (fate) => {
      await write("/k", "another's");
      let troubles = 1;
      owner.way.fate = ({ action }) => (action !== "get" && troubles-- > 0 ? fate : undefined);
      const kept = await keep({ ifExists: "replace" });
      expect(await stage.value("/k")).toBe("mine");
      await stage.pass(30_000);
      kept.assertHeld();
      await kept.close();
    },
  );

  test("recognizes its own key after a lost response", async () => {
    let troubles = 2;
    owner.way.fate = () => (troubles-- > 0 ? "response lost" : undefined);
    const kept = await keep();
    expect(await stage.value("/k")).toBe("mine");
    await kept.close();
  });

  test("does not adopt the key of another owner after a lost request", async () => {
    owner.way.fate = () => {
      owner.way.fate = () => undefined;
      return "request lost";
    };
    await write("/k", "another's");
    await expect(keep()).rejects.toMatchObject({ code: "ETCD_NODE_EXIST" });
    await settle();
    expect(await stage.value("/k")).toBe("another's");
  });

  test("fails after several unknown outcomes, and removes a key that may have been created", async () => {
    owner.way.fate = ({ action }) => (action === "create" ? "response lost" : undefined);
    owner.way.fate = ({ action }) =>
      action === "compareAndDelete"
        ? undefined
        : action === "create"
          ? "response lost"
          : "request lost";
    await expect(keep()).rejects.toMatchObject({ code: "ETCD_OUTCOME_UNKNOWN" });
    await settle();
    expect(await stage.value("/k")).toBeUndefined();
  });

  test("a TTL shorter than the round trip is lost before it is held", async () => {
    owner.way.fate = ({ action }) => (action === "create" ? { respondAfter: 950 } : undefined);
    const kept = keep({ ttl: 1 }).catch((error: unknown) => error);
    await stage.pass(1_000);
    expect(await kept).toMatchObject({ name: "OwnershipLostError", reason: "unconfirmed" });
    await settle();
    expect(await stage.value("/k")).toBeUndefined();
    expect(stage.leftovers).toBe(0);
  });

  test.each([
    [{ ttl: 0 }, "ttl: must be a whole number of seconds, at least 1, not 0"],
    [{ ttl: 1.5 }, "ttl: must be a whole number of seconds"],
    [{ ttl: Number.NaN }, "ttl: must be a whole number of seconds"],
    [{ safetyMargin: -1 }, "safetyMargin: must be from 0 to 5000 ms, half of the TTL"],
    [{ safetyMargin: 5_001 }, "safetyMargin: must be from 0 to 5000 ms, half of the TTL"],
    [{ ifExists: "Replace" }, 'ifExists: must be "fail", "adopt" or "replace", not \'Replace\''],
    [{ timeToLive: 3 }, "timeToLive: is not an option of this call"],
  ])("refuses %o", async (options, message) => {
    await expect(keep(options as object)).rejects.toThrow(new RegExp(`^${message}`));
    expect(owner.way.requests).toEqual([]);
  });

  test.each([
    [5, /^value: must be a string, not number/],
    ["\ud800", /^value: has half of a surrogate pair/],
    ["", /^value: must not be empty/],
  ])("refuses to update to %o, and keeps the key", async (value, message) => {
    const kept = await keep();
    await expect(kept.update(value as string)).rejects.toThrow(message);
    expect(kept.lost).toBeUndefined();
    expect(await stage.value("/k")).toBe("mine");
    await kept.close();
  });

  test("refuses an empty value, which cannot prove the ownership", async () => {
    await expect(keep({}, "")).rejects.toThrow(/^value: must not be empty/);
  });
});

describe("with recreate, a key", () => {
  test("is created again after a delete, with a new signal", async () => {
    const kept = await keep({ recreate: true });
    const told = record(kept);
    const { signal, createdIndex } = kept;
    await stage.memory.execute({ action: "delete", key: "/k" });
    await stage.pass(3_400);
    expect(told).toEqual(["lost: gone", "recreated"]);
    expect(await stage.value("/k")).toBe("mine");
    expect(signal.aborted).toBe(true);
    expect(kept.signal.aborted).toBe(false);
    expect(kept.createdIndex).toBeGreaterThan(createdIndex);
    kept.assertHeld();
    await kept.close();
  });

  test("is created again after it expired while etcd was unreachable, however long that was", async () => {
    const kept = await keep({ recreate: true });
    const told = record(kept);
    owner.way.fate = () => down;
    await stage.pass(600_000);
    expect(await stage.value("/k")).toBeUndefined();
    expect(told).toEqual(["lost: unconfirmed"]);
    owner.way.fate = () => undefined;
    await stage.pass(31_000);
    expect(told.slice(0, 2)).toEqual(["lost: unconfirmed", "recreated"]);
    expect(await stage.value("/k")).toBe("mine");
    await kept.close();
    expect(stage.leftovers).toBe(0);
  });

  test("is not affected by a pending request of an earlier attempt", async () => {
    const kept = await keep({ recreate: true });
    const told = record(kept);
    await stage.memory.execute({ action: "delete", key: "/k" });
    let arrive = (): void => {};
    const arriveWhen = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    let isLost = true;
    owner.way.fate = ({ action }) => {
      if (action === "compareAndDelete") return { arriveWhen };
      return isLost && action === "create" ? "request lost" : undefined;
    };
    await stage.pass(4_000);
    isLost = false;
    await stage.pass(2_000);
    expect(told).toContain("recreated");
    arrive();
    await settle();
    expect(await stage.value("/k")).toBe("mine");
    owner.way.fate = () => undefined;
    await kept.close();
  });

  test("is never taken back from another owner", async () => {
    const kept = await keep({ recreate: true });
    const told = record(kept);
    await write("/k", "another's");
    await stage.pass(60_000);
    expect(told).toEqual(["lost: taken-over"]);
    expect(await stage.value("/k")).toBe("another's");
    await kept.close();
  });

  test("is lost when another owner creates it first", async () => {
    const kept = await keep({ recreate: true });
    const told = record(kept);
    owner.way.fate = () => down;
    await stage.pass(12_000);
    await write("/k", "another's");
    owner.way.fate = () => undefined;
    await stage.pass(60_000);
    expect(told).toEqual(["lost: unconfirmed", "lost: taken-over"]);
    await kept.close();
    expect(stage.leftovers).toBe(0);
  });

  test("is not created after close", async () => {
    const kept = await keep({ recreate: true });
    owner.way.fate = () => down;
    await stage.pass(12_000);
    owner.way.fate = () => undefined;
    await kept.close();
    await stage.pass(60_000);
    expect(await stage.value("/k")).toBeUndefined();
    expect(stage.leftovers).toBe(0);
  });
});

test("a listener that throws does not stop the renewal", async () => {
  const kept = await keep();
  const thrown: unknown[] = [];
  const onError = (error: unknown): unknown => thrown.push(error);
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", onError);
  try {
    kept.on("renewed", () => {
      throw new Error("listener");
    });
    await stage.pass(30_000);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  }
  expect(thrown.length).toBeGreaterThan(5);
  expect(kept.lost).toBeUndefined();
  expect(await stage.value("/k")).toBe("mine");
  await kept.close();
});
