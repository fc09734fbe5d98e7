import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { TimeoutError } from "../errors/cluster-errors.js";
import type { KeySpace } from "../key-space/key-space.js";
import { MemoryKeySpace } from "../key-space/memory/memory-key-space.js";
import { sleep } from "../time/sleep.js";
import { OwnWrites } from "./claims.js";
import { CutoverRecords } from "./cutover-records.js";
import type { CutoverState, StoredState } from "./cutover-state.js";
import { CutoverMembership } from "./membership.js";

const ARMED: CutoverState = {
  phase: "armed",
  clusterId: "c",
  gateways: 1,
  hold: 2_000,
  end: 0,
  switches: 0,
  switchedAt: 0,
  returnedAt: 0,
  isFinished: false,
  passwords: "",
};

/** A gateway whose v3 cluster can be out of reach. */
class Rig {
  readonly clock = new SimulatedClock();
  readonly store = new MemoryKeySpace({ clock: this.clock });
  readonly records = new CutoverRecords(this.store);
  readonly seen: (string | null | undefined)[] = [];
  isReachable = true;
  /** Milliseconds until a write is executed. */
  delay = 0;
  /** Milliseconds until a read is executed. */
  readDelay = 0;
  /** Where the gateway would have served from, when each request was executed. */
  readonly sides: (string | undefined)[] = [];
  /** Whether watches deliver. */
  isWatched = true;
  readonly membership = new CutoverMembership(new CutoverRecords(this.#throughNetwork()), {
    clock: this.clock,
    clusterId: () => "c",
    hidden: () => [],
    givenTtls: () => [],
    problem: () => "",
    claims: (census) => ({ ...new OwnWrites().claims(census), clients: [] }),
    drained: async () => {},
    onState: (state) => this.seen.push(state === null ? null : state?.phase),
  });

  async start(): Promise<this> {
    this.membership.start("http://gateway");
    await this.clock.pass(100);
    return this;
  }

  async change(state: StoredState, phase: CutoverState["phase"]): Promise<StoredState> {
    return await this.records.change(state, { ...state, phase, end: phase === "target" ? 7 : 0 });
  }

  async acknowledged(): Promise<readonly number[]> {
    return (await this.records.gateways()).map(({ acknowledged }) => acknowledged);
  }

  /** Requests that arrive late end with an error, too. */
  #throughNetwork(): KeySpace {
    const { store } = this;
    const execute = async (...call: Parameters<KeySpace["execute"]>) => {
      if (!this.isReachable) throw new TimeoutError("PUT /gateways/x: no response", 10);
      const delay = call[0].action === "get" ? this.readDelay : this.delay;
      if (delay > 0) await sleep(delay, this.clock, undefined);
      const response = await store.execute(...call);
      this.sides.push(this.membership.side?.from);
      return response;
    };
    const subscribe: KeySpace["subscribe"] = (request, options) => {
      const subscription = store.subscribe(request, options);
      if (!this.isWatched) subscription.close();
      return subscription;
    };
    return { execute, subscribe, openWatch: store.openWatch.bind(store), close: async () => {} };
  }
}

/** A gateway that has lost v3 after the switch. */
async function lostAfterSwitch() {
  const rig = new Rig();
  rig.isWatched = false;
  await rig.start();
  const target = await rig.records.create({ ...ARMED, phase: "target", end: 7, switches: 1 });
  await rig.clock.pass(3_000);
  rig.isReachable = false;
  await rig.clock.pass(20_000);
  return { rig, target };
}

describe("a gateway in a cut-over", () => {
  it("serves from v2 as soon as it knows that there is no cut-over, and then without v3", async () => {
    const rig = new Rig();
    rig.isReachable = false;
    await rig.start();
    expect(rig.membership.side).toBeUndefined();
    rig.isReachable = true;
    await rig.clock.pass(3_000);
    expect(rig.membership.side).toEqual({ from: "source" });
    rig.isReachable = false;
    await rig.clock.pass(60_000);
    expect(rig.membership.side).toEqual({ from: "source" });
  });

  it("follows each state, and acknowledges it", async () => {
    const rig = await new Rig().start();
    const armed = await rig.records.create(ARMED);
    await rig.clock.pass(100);
    expect([rig.membership.side, await rig.acknowledged()]).toEqual([
      { from: "source" },
      [armed.revision],
    ]);
    const holding = await rig.change(armed, "holding");
    await rig.clock.pass(100);
    expect([rig.membership.side, await rig.acknowledged()]).toEqual([
      undefined,
      [holding.revision],
    ]);
    const target = await rig.change(holding, "target");
    await rig.clock.pass(100);
    expect(rig.membership.side).toEqual({ from: "target", state: target });
  });

  it("serves nothing when its registration may have ended", async () => {
    const rig = await new Rig().start();
    const armed = await rig.records.create(ARMED);
    await rig.clock.pass(2_000);
    rig.isReachable = false;
    await rig.clock.pass(6_000);
    await rig.clock.pass(2_000);
    expect(rig.membership.side).toBeUndefined();
    await rig.clock.pass(5_000);
    expect(await rig.acknowledged()).toEqual([]);
    rig.isReachable = true;
    await rig.clock.pass(3_000);
    expect([rig.membership.side, await rig.acknowledged()]).toEqual([
      { from: "source" },
      [armed.revision],
    ]);
  });

  it("believes nothing that it knew before a gap in its registration", async () => {
    const rig = new Rig();
    rig.isWatched = false;
    await rig.start();
    const armed = await rig.records.create(ARMED);
    await rig.clock.pass(3_000);
    expect(rig.membership.side).toEqual({ from: "source" });
    rig.isReachable = false;
    await rig.clock.pass(5_300);
    // The next attempt begins before the registration is uncertain, and succeeds after the others have switched.
    rig.isReachable = true;
    rig.delay = 5_000;
    await rig.clock.pass(4_500);
    const holding = await rig.change(armed, "holding");
    await rig.change(holding, "target");
    rig.sides.length = 0;
    await rig.clock.pass(3_000);
    expect(rig.sides.length).toBeGreaterThan(0);
    expect(rig.sides).not.toContain("source");
    rig.delay = 0;
    await rig.clock.pass(12_000);
    expect(rig.membership.side?.from).toBe("target");
  });

  it("goes on with v3 when it cannot register, but does not say that it is certain", async () => {
    const { rig, target } = await lostAfterSwitch();
    expect(rig.membership.side?.from).toBe("target");
    await expect(rig.membership.confirmed("PUT /a")).rejects.toThrow("no response");
    rig.isReachable = true;
    expect((await rig.membership.confirmed("PUT /a")).from).toBe("target");
    const returning = await rig.change(target, "returning");
    await rig.change(returning, "returned");
    expect((await rig.membership.confirmed("PUT /a")).from).toBe("source");
  });

  it("is not certain before it has read the state with its new registration", async () => {
    const { rig, target } = await lostAfterSwitch();
    const returning = await rig.change(target, "returning");
    await rig.change(returning, "returned");
    rig.isReachable = true;
    rig.readDelay = 1_500;
    const sides: Promise<unknown>[] = [];
    for (let at = 0; at < 20; at++) {
      sides.push(rig.membership.confirmed("PUT /a"));
      await rig.clock.pass(200);
    }
    for (const side of await Promise.all(sides)) expect(side).toEqual({ from: "source" });
  });

  it("ends a return that nobody decides", async () => {
    const rig = await new Rig().start();
    const target = await rig.records.create({ ...ARMED, phase: "target", end: 7, switches: 1 });
    await rig.clock.pass(100);
    await rig.change(target, "returning");
    await rig.clock.pass(1_000);
    expect(rig.membership.side).toBeUndefined();
    await rig.clock.pass(3_000);
    expect(rig.membership.side?.from).toBe("target");
    expect((await rig.records.read())?.phase).toBe("target");
  });

  it("learns the state without its watch", async () => {
    const rig = new Rig();
    rig.isWatched = false;
    await rig.start();
    const armed = await rig.records.create(ARMED);
    await rig.clock.pass(3_000);
    expect(await rig.acknowledged()).toEqual([armed.revision]);
    const holding = await rig.change(armed, "holding");
    await rig.clock.pass(3_000);
    expect(rig.membership.state?.revision).toBeGreaterThanOrEqual(holding.revision);
  });

  it("ends a hold that nobody decides", async () => {
    const rig = await new Rig().start();
    const armed = await rig.records.create(ARMED);
    await rig.clock.pass(100);
    await rig.change(armed, "holding");
    await rig.clock.pass(1_000);
    expect(rig.membership.side).toBeUndefined();
    await rig.clock.pass(3_000);
    expect(rig.membership.side).toEqual({ from: "source" });
    expect((await rig.records.read())?.phase).toBe("armed");
  });

  it("never leaves v3, also when its state disappears", async () => {
    const rig = await new Rig().start();
    const armed = await rig.records.create(ARMED);
    const target = await rig.change(armed, "target");
    await rig.clock.pass(100);
    await rig.records.remove(target);
    await rig.clock.pass(30_000);
    expect(rig.membership.side?.from).toBe("target");
  });

  it("needs only v2 again after disarm", async () => {
    const rig = await new Rig().start();
    const armed = await rig.records.create(ARMED);
    await rig.clock.pass(100);
    await rig.records.remove(armed);
    await rig.clock.pass(3_000);
    rig.isReachable = false;
    await rig.clock.pass(30_000);
    expect(rig.membership.side).toEqual({ from: "source" });
  });
});
