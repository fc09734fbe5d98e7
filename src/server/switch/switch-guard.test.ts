import { beforeEach, describe, expect, it } from "vitest";
import type { StoredState } from "../../cutover/cutover-state.js";
import type { KeyGuard, Permit } from "../auth/key-guard.js";
import type { WatchReview } from "../auth/watch-review.js";
import type { ServerRequest } from "../http/message.js";
import { OpenWatches } from "../source/open-watches.js";
import { SwitchGuard, type SwitchGuardParts, TargetGuard } from "./switch-guard.js";

const REQUEST = {} as ServerRequest;

let phase: StoredState["phase"];
let switches: number;
/** Whether the users of v3 permit a new request, and the one that is served. */
let onTarget: { permits: boolean; isValid: boolean };
let reviewed: Permit[];
let parts: SwitchGuardParts;

beforeEach(() => {
  [phase, switches, reviewed] = ["target", 1, []];
  onTarget = { permits: true, isValid: true };
  const guard: KeyGuard = {
    permit: async () =>
      onTarget.permits
        ? { isValid: async () => onTarget.isValid, guard: () => () => {} }
        : undefined,
  };
  const review = {
    add: (permit: Permit) => {
      reviewed.push(permit);
      return () => {};
    },
  };
  const membership = {
    get state() {
      return { phase } as StoredState;
    },
    get switches() {
      return switches;
    },
  };
  parts = {
    guard,
    review: review as unknown as WatchReview,
    membership,
    watches: new OpenWatches(),
  };
});

const permitOf = (guard: SwitchGuard | TargetGuard) =>
  guard.permit(REQUEST, "GET", "/a", { key: "/a" });

const isReviewValid = async () => await reviewed[0]?.isValid();

describe("a watch that was opened while v3 served", () => {
  it("ends when v3 withdraws its permit, but not after the return to v2", async () => {
    const permit = await permitOf(new TargetGuard(parts));
    permit?.guard({ close: () => {} });
    expect(await isReviewValid()).toBe(true);
    onTarget = { permits: false, isValid: false };
    expect(await isReviewValid()).toBe(false);
    [phase, switches] = ["returned", 2];
    expect(await isReviewValid()).toBe(true);
  });

  it("needs a permit of the users that the next switch has copied", async () => {
    const permit = await permitOf(new TargetGuard(parts));
    permit?.guard({ close: () => {} });
    [phase, switches] = ["target", 3];
    onTarget = { permits: true, isValid: false };
    expect(await permit?.isPermittedOnTarget()).toBe(true);
    expect(await isReviewValid()).toBe(true);
    onTarget = { permits: false, isValid: true };
    expect(await permit?.isPermittedOnTarget()).toBe(false);
    expect(await isReviewValid()).toBe(false);
  });

  it("ends with the gateway", async () => {
    let isClosed = false;
    const permit = await permitOf(new TargetGuard(parts));
    const close = () => {
      isClosed = true;
    };
    permit?.guard({ close });
    parts.watches.endAll();
    expect(isClosed).toBe(true);
  });
});

it("refuses on v3 what its users do not permit, also while gateways hold", async () => {
  const permit = await permitOf(new TargetGuard(parts));
  [phase, onTarget.isValid] = ["returning", false];
  expect(await permit?.isValid()).toBe(false);
  onTarget.permits = false;
  expect(await permitOf(new TargetGuard(parts))).toBeUndefined();
});

it("reviews a watch that was opened while v2 served only while v3 serves", async () => {
  phase = "armed";
  const permit = await permitOf(new SwitchGuard(parts));
  permit?.guard({ close: () => {} });
  onTarget.permits = false;
  expect(await isReviewValid()).toBe(true);
  phase = "target";
  expect(await isReviewValid()).toBe(false);
});
