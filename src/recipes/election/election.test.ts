import { beforeEach, describe, expect, test } from "vitest";
import { Stage, type StageProcess, settle } from "../../../test/recipes/stage.js";
import { Election, type Leader } from "./election.js";
import type { Leadership } from "./leadership.js";

let stage: Stage;
let alice: StageProcess;
let bob: StageProcess;
let observer: StageProcess;

beforeEach(() => {
  stage = new Stage();
  alice = stage.process();
  bob = stage.process();
  observer = stage.process();
});

const electionOf = ({ etcd }: StageProcess): Election => new Election(etcd, "/leader");

/** The leaders that an observer yields, in order. */
function observing(options: Parameters<Election["observe"]>[0] = {}) {
  const seen: (Leader | null)[] = [];
  const done = (async () => {
    for await (const leader of electionOf(observer).observe(options)) seen.push(leader);
  })();
  return { seen, done, values: () => seen.map((leader) => leader?.value ?? null) };
}

async function expectNothingLeft(): Promise<void> {
  await settle();
  expect(await stage.list("/leader")).toEqual({});
  expect(stage.leftovers).toBe(0);
}

describe("an election", () => {
  test("has one leader after the other, in the order of their candidacies", async () => {
    const first = await electionOf(alice).campaign("alice");
    let second: Leadership | undefined;
    const campaign = electionOf(bob)
      .campaign("bob")
      .then((won) => {
        second = won;
      });
    await stage.pass(60_000);
    expect(second).toBeUndefined();
    first.assertHeld();
    expect(first.value).toBe("alice");
    await first.resign();
    await campaign;
    expect(second?.fencingToken).toBeGreaterThan(first.fencingToken);
    second?.assertHeld();
    expect(first.signal.aborted).toBe(true);
    await second?.resign();
    await expectNothingLeft();
  });

  test("passes on from a leader that was paused beyond its TTL, which detects the loss when it resumes", async () => {
    const first = await electionOf(alice).campaign("alice");
    const second = electionOf(bob).campaign("bob");
    await settle();
    await stage.pass(11_000, alice);
    expect(() => first.assertHeld()).toThrow("unconfirmed");
    expect(first.signal.aborted).toBe(true);
    (await second).assertHeld();
    expect(await electionOf(observer).leader()).toMatchObject({ value: "bob" });
    await first.resign();
    await (await second).resign();
    await expectNothingLeft();
  });

  test("returns the leader, or null", async () => {
    expect(await electionOf(observer).leader()).toBeNull();
    const won = await electionOf(alice).campaign("alice of host 1");
    const { key, fencingToken } = won;
    const leader = { key, fencingToken, value: "alice of host 1" };
    expect(await electionOf(observer).leader()).toEqual(leader);
    await won.resign();
    expect(await electionOf(observer).leader()).toBeNull();
    await expectNothingLeft();
  });

  test("is left by a candidate that aborts", async () => {
    const won = await electionOf(alice).campaign("alice");
    const caller = new AbortController();
    const campaign = electionOf(bob).campaign("bob", { signal: caller.signal });
    await settle();
    caller.abort();
    await expect(campaign).rejects.toMatchObject({ name: "AbortError" });
    await won.resign();
    await expectNothingLeft();
  });

  test("accepts any text as a value, and returns it unchanged", async () => {
    const value = ' two  words, {"json": true}, ünïcode\n';
    const won = await electionOf(alice).campaign(value);
    expect(await electionOf(observer).leader()).toMatchObject({ value });
    await won.proclaim("");
    expect(await electionOf(observer).leader()).toMatchObject({ value: "" });
    await won.resign();
  });
});

describe("a proclamation", () => {
  test("is renewed and stays owned by the leader", async () => {
    const won = await electionOf(alice).campaign("1");
    const { fencingToken } = won;
    await won.proclaim("2");
    await stage.pass(60_000);
    won.assertHeld();
    expect(await electionOf(observer).leader()).toMatchObject({ value: "2", fencingToken });
    await won.resign();
    await expectNothingLeft();
  });

  test("is refused after the leadership is lost", async () => {
    const won = await electionOf(alice).campaign("1");
    await stage.memory.execute({ action: "delete", key: won.key });
    await expect(won.proclaim("2")).rejects.toMatchObject({
      name: "OwnershipLostError",
      reason: "gone",
    });
    await won.resign();
    await expectNothingLeft();
  });
});

describe("an observer", () => {
  test("yields the leader, each value, each next leader, and null", async () => {
    const stop = new AbortController();
    const { seen, done, values } = observing({ signal: stop.signal });
    await settle();
    expect(values()).toEqual([null]);
    const first = await electionOf(alice).campaign("alice");
    const second = electionOf(bob).campaign("bob");
    await settle();
    await first.proclaim("alice, working");
    await settle();
    await first.resign();
    await settle();
    await (await second).resign();
    await settle();
    expect(values()).toEqual([null, "alice", "alice, working", "bob", null]);
    expect(seen[1]?.fencingToken).toBe(first.fencingToken);
    stop.abort();
    await done;
    await expectNothingLeft();
  });

  test("yields nothing for refreshes and new candidates", async () => {
    const won = await electionOf(alice).campaign("alice");
    const stop = new AbortController();
    const { done, values } = observing({ signal: stop.signal });
    await settle();
    const before = observer.way.requests.length;
    const others = [1, 2, 3].map(() =>
      electionOf(bob)
        .campaign("bob")
        .catch(() => {}),
    );
    await stage.pass(30_000);
    expect(values()).toEqual(["alice"]);
    const reads = observer.way.requests.slice(before).filter(({ key }) => key === "/leader");
    expect(reads).toEqual([]);
    await bob.etcd.close();
    await Promise.all(others);
    await won.resign();
    stop.abort();
    await done;
  });

  test("that reads late continues with the current leader", async () => {
    const observe = electionOf(observer).observe();
    expect((await observe.next()).value).toBeNull();
    for (const value of ["1", "2", "3"]) {
      await (await electionOf(alice).campaign(value)).resign();
    }
    for (let count = 0; count < 1_100; count++) {
      await stage.memory.execute({ action: "set", key: "/elsewhere", value: `${count}` });
    }
    const won = await electionOf(bob).campaign("bob");
    expect((await observe.next()).value).toMatchObject({ value: "bob" });
    await observe.return();
    await won.resign();
    await expectNothingLeft();
  });

  test("ends when its client is closed", async () => {
    const { done } = observing();
    await settle();
    await observer.etcd.close();
    await done;
    await settle();
    expect(stage.leftovers).toBe(0);
  });

  test("survives the deletion of the directory", async () => {
    const stop = new AbortController();
    const { done, values } = observing({ signal: stop.signal });
    const won = await electionOf(alice).campaign("alice");
    await settle();
    await stage.memory.execute({ action: "delete", key: "/leader", recursive: true });
    await settle();
    const next = await electionOf(bob).campaign("bob");
    await settle();
    expect(values()).toEqual([null, "alice", null, "bob"]);
    stop.abort();
    await done;
    await won.resign();
    await next.resign();
    await expectNothingLeft();
  });
});

test.each([
  [() => new Election(alice.etcd, "leader"), /^key: "leader" must begin/],
  [() => new Election(alice.etcd, "/leader", { ttl: -1 }), /^ttl: must be a whole number/],
])("%s is refused", (make, message) => {
  expect(make).toThrow(message);
});

test("values that are not strings are refused before anything is sent", async () => {
  const election = new Election(alice.etcd, "/leader", { ttl: undefined } as object);
  const nothing = undefined as unknown as string;
  await expect(election.campaign(nothing)).rejects.toThrow(/^value: must be a string/);
  expect(alice.way.requests).toEqual([]);
  const leadership = await election.campaign("alice");
  await expect(leadership.proclaim(nothing)).rejects.toThrow(/^value: must be a string/);
  leadership.assertHeld();
  expect(leadership.value).toBe("alice");
  await leadership.resign();
});
