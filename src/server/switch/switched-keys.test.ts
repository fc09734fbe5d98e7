import { expect, it } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import type { StoredState } from "../../cutover/cutover-state.js";
import type { CutoverMembership, Side } from "../../cutover/membership.js";
import type { KeyWatch } from "../../key-space/key-space.js";
import type { V3KeySpace } from "../../key-space/v3/v3-key-space.js";
import type { EtcdResponse } from "../../model/response.js";
import type { ServedKeys } from "../routes/keys-route.js";
import { OpenWatches } from "../source/open-watches.js";
import type { SourceCluster } from "../source/source-cluster.js";
import { SwitchedKeys } from "./switched-keys.js";

const TARGET: StoredState = {
  phase: "target",
  clusterId: "c",
  gateways: 1,
  hold: 2_000,
  end: 7,
  switches: 1,
  switchedAt: 0,
  returnedAt: 0,
  isFinished: false,
  passwords: "",
  revision: 50,
};
const RETURNED: StoredState = {
  ...TARGET,
  ...{ phase: "returned", end: 100, switches: 2, returnedAt: 4_000, revision: 90 },
};

const UNLIMITED = { check: async () => {} };

/** A response of a cluster, with the index of the write. */
function responseOf(etcdServer: string, etcdIndex: number): EtcdResponse {
  const node = { key: "/a", value: "1", modifiedIndex: etcdIndex, createdIndex: etcdIndex };
  const origin = { etcdServer, etcdClusterId: "c", etcdIndex, raftIndex: 1, raftTerm: 1 };
  return { ...origin, action: "set", node };
}

it("does not execute on v3 what v2 would have permitted, and the users of v3 do not", async () => {
  const executed: unknown[] = [];
  const membership = {
    ...{ state: TARGET, switches: 1, side: { from: "target", state: TARGET } },
    decided: async () => membership.side,
    confirmed: async () => membership.side,
  };
  const execute = async (request: unknown) => executed.push(request);
  const keys = new SwitchedKeys(
    { cluster: { clock: new SimulatedClock() } } as unknown as SourceCluster,
    { execute, openWatch: execute, indexOf: async () => 50 } as unknown as V3KeySpace,
    membership as unknown as CutoverMembership,
    () => ({ of: async () => new Map(), below: async () => new Map() }),
    UNLIMITED,
  );
  const passed = { execute } as unknown as ServedKeys;
  const caller = {
    passed,
    credentials: "c",
    isRestricted: true,
    isPermittedOnTarget: async () => false,
  };
  const served = keys.on(caller, new AbortController().signal);
  const write = served.execute({ action: "set", key: "/a", value: "1" });
  await expect(write).rejects.toMatchObject({ errorCode: 110 });
  await expect(served.openWatch({ key: "/a" })).rejects.toMatchObject({ errorCode: 110 });
  expect(executed).toEqual([]);
});

it("acknowledges no write on v3 when the state goes on while the request is started", async () => {
  let state = { ...TARGET, phase: "returning" } as StoredState;
  const sideOf = ({ phase }: StoredState): Side | undefined => {
    if (phase === "returned") return { from: "source" };
    return phase === "target" ? { from: "target", state: TARGET } : undefined;
  };
  const membership = {
    get state() {
      return state;
    },
    get switches() {
      return state.switches;
    },
    get side() {
      return sideOf(state);
    },
    // The hold has been aborted, and the next changes of the state are delivered right after that.
    async decided() {
      state = TARGET;
      const side = sideOf(state);
      queueMicrotask(() => {
        state = RETURNED;
      });
      return side;
    },
    confirmed: async () => sideOf(state),
  };
  const source = { cluster: { clock: new SimulatedClock() } };
  const execute = async () => responseOf("v3", RETURNED.end + 1);
  const kept = { of: async () => new Map(), below: async () => new Map() };
  const keys = new SwitchedKeys(
    source as unknown as SourceCluster,
    { execute, indexOf: async () => TARGET.revision } as unknown as V3KeySpace,
    membership as unknown as CutoverMembership,
    () => kept,
    UNLIMITED,
  );
  const onSource = { execute: async () => responseOf("v2", 5_000) } as unknown as ServedKeys;
  const isPermittedOnTarget = async () => true;
  const caller = {
    passed: onSource,
    credentials: undefined,
    isRestricted: false,
    isPermittedOnTarget,
  };
  const served = keys.on(caller, new AbortController().signal);
  const request = { action: "set", key: "/a", value: "1" } as const;
  expect((await served.execute(request)).etcdServer).toBe("v2");
});

/** A watch without events. */
function silentWatch(etcdServer: string): KeyWatch {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const origin = { etcdServer, etcdClusterId: "c", etcdIndex: 200, raftIndex: 1, raftTerm: 1 };
  return {
    ...{ ...origin, provenIndex: 200, close: end },
    [Symbol.asyncIterator]: () => ({
      next: () => ended.then(() => ({ done: true, value: undefined })),
    }),
  };
}

it("ends a watch of v3 that v2 serves itself since the return, at the next switch", async () => {
  let state = TARGET;
  const sideOf = (): Side =>
    state.phase === "target" ? { from: "target", state } : { from: "source" };
  const membership = {
    get state() {
      return state;
    },
    get switches() {
      return state.switches;
    },
    get side() {
      return sideOf();
    },
    decided: async () => sideOf(),
    confirmed: async () => sideOf(),
  };
  const watches = new OpenWatches();
  const source = {
    ...{ watches, cluster: { clock: new SimulatedClock() } },
    // It collects no events yet.
    origin: () => new Promise(() => {}),
  };
  const onTarget = silentWatch("v3");
  const target = {
    openWatch: async () => onTarget,
    endWatches: () => onTarget.close(),
    indexOf: async () => 50,
  };
  const kept = { of: async () => new Map(), below: async () => new Map() };
  const keys = new SwitchedKeys(
    source as unknown as SourceCluster,
    target as unknown as V3KeySpace,
    membership as unknown as CutoverMembership,
    () => kept,
    UNLIMITED,
  );
  const onSource: string[] = [];
  const passed = {
    openWatch: async () => {
      onSource.push("opened");
      return silentWatch("v2");
    },
  } as unknown as ServedKeys;
  const isPermittedOnTarget = async () => true;
  const caller = { passed, credentials: "c", isRestricted: true, isPermittedOnTarget };
  keys.follow(state);
  const served = keys.on(caller, new AbortController().signal);
  const watch = await served.openWatch({ key: "/a" });
  watches.add(watch);
  const ended = watch[Symbol.asyncIterator]().next();
  state = RETURNED;
  keys.follow(state);
  // The question for the permission, and the watch.
  await expect.poll(() => onSource).toHaveLength(2);
  state = { ...TARGET, switches: 3, end: 300, revision: 120 };
  keys.follow(state);
  expect(await ended).toEqual({ done: true, value: undefined });
  keys.close();
});
