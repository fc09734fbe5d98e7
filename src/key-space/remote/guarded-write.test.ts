import { expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { OutcomeUnknownError } from "../../errors/cluster-errors.js";
import { errorDefinition, serverErrorOf } from "../../errors/error-table.js";
import type { KeyRequest } from "../../model/key-request.js";
import type { EtcdResponse } from "../../model/response.js";
import { GuardedWrite, isGuarded } from "./guarded-write.js";
import type { Scan } from "./watch/watch-requests.js";

const swap = { action: "compareAndSwap", key: "/a", prevIndex: 5, value: "new" } as const;
const origin = { etcdServer: "", etcdClusterId: "", etcdIndex: 9, raftIndex: 9, raftTerm: 1 };
const lost = new OutcomeUnknownError("PUT /a", "http://a", new Error("cut"));

function responseWith(action: EtcdResponse["action"], value: string, at: number): EtcdResponse {
  const node = { key: "/a", value, modifiedIndex: at, createdIndex: 1 };
  const prevNode = { key: "/a", value: "old", modifiedIndex: 5, createdIndex: 1 };
  return { ...origin, action, node, prevNode };
}

function refusal(errorCode: number): Error {
  const at = { detail: "", index: 9, key: "/a", operation: "PUT /a", endpoint: "http://a" };
  return serverErrorOf({ ...errorDefinition(errorCode), errorCode, ...at });
}

/** Runs the swap with these results of its attempts, on a file and a history. */
async function run(
  attempts: readonly (EtcdResponse | Error)[],
  file: EtcdResponse | Error = refusal(100),
  history: readonly EtcdResponse[] = [],
) {
  const clock = new SimulatedClock();
  const results = attempts[Symbol.iterator]();
  const write = new GuardedWrite(
    swap,
    {
      async execute(request: KeyRequest) {
        const result = request.action === "get" ? file : (results.next().value ?? lost);
        if (result instanceof Error) throw result;
        return result;
      },
      requests: {
        openWatch: () => expect.fail("a watch was opened"),
        probe: () => expect.fail("a probe was sent"),
        scan: async (): Promise<Scan> => ({ ...origin, events: history, provenIndex: 9 }),
      },
    },
    {},
  );
  const outcome = write
    .run({ clock, deadline: clock.monotonic() + 1_000, signal: undefined })
    .catch((error) => error);
  let settled = false;
  void outcome.then(() => {
    settled = true;
  });
  while (!settled) await clock.pass(100);
  return await outcome;
}

it("is repeated while the version may be there, and has the response of the repetition", async () => {
  const done = responseWith("compareAndSwap", "new", 9);
  expect(await run([lost, lost, done])).toBe(done);
});

it("keeps its unknown outcome when it cannot be repeated in time", async () => {
  expect(await run([])).toBe(lost);
});

it("is refused if the version is still there, with another value", async () => {
  const failed = refusal(101);
  expect(await run([lost, failed], responseWith("set", "other", 5))).toBe(failed);
});

it.each([
  responseWith("set", "new", 8),
  responseWith("compareAndSwap", "other", 8),
  responseWith("compareAndDelete", "", 8),
  responseWith("expire", "", 8),
])("is refused if another change ended the version: $action $node.value", async (change) => {
  const failed = refusal(change.action === "expire" ? 100 : 101);
  expect(await run([lost, failed], responseWith("set", "x", 9), [change])).toBe(failed);
});

it("keeps its unknown outcome if an equal change ended the version, or history does not show it", async () => {
  const equal = responseWith("compareAndSwap", "new", 8);
  expect(await run([lost, refusal(101)], equal, [equal])).toBe(lost);
  expect(await run([lost, refusal(101)], equal, [])).toBe(lost);
  const later = { ...responseWith("set", "x", 9), prevNode: equal.node };
  expect(await run([lost, refusal(101)], equal, [later as EtcdResponse])).toBe(lost);
});

it("is a write with prevIndex", () => {
  expect(isGuarded(swap)).toBe(true);
  expect(isGuarded({ action: "compareAndDelete", key: "/a", prevIndex: 1 })).toBe(true);
  expect(isGuarded({ action: "compareAndSwap", key: "/a", prevValue: "x", value: "y" })).toBe(
    false,
  );
  expect(isGuarded({ action: "create", key: "/a", value: "y" })).toBe(false);
});
