import { describe, expect, test } from "vitest";
import { ALL_RULES, type Bounds, explore, type Rules } from "./model.js";

const NONE: Bounds = { members: 1, gateways: 1, writes: 1, attempts: 1, permits: 0, copies: 0 };

/** What is explored completely. CUTOVER_LONG=1 adds the larger ones, for minutes. */
const BOUNDS: readonly (Bounds & { readonly isLong?: boolean })[] = [
  { ...NONE, members: 2, writes: 2, copies: 1 },
  { ...NONE, members: 2, gateways: 2, copies: 1 },
  { ...NONE, attempts: 2, permits: 1 },
  { ...NONE, members: 3, writes: 2, copies: 1, isLong: true },
  { ...NONE, members: 2, gateways: 2, writes: 2, isLong: true },
  { ...NONE, members: 2, attempts: 2, permits: 2, isLong: true },
  { ...NONE, members: 2, gateways: 2, attempts: 2, permits: 1, isLong: true },
];

const STALE_READ = /serves a read without an acknowledged write/;
const LATE_WRITE = /a write reaches v2 that is not copied/;

/** The fault that appears without a rule, and where. */
const FAULTS: Readonly<Record<keyof Rules, readonly [fault: RegExp, bounds: Bounds]>> = {
  asksEveryMember: [LATE_WRITE, { ...NONE, members: 2 }],
  readsThroughEveryMember: [LATE_WRITE, NONE],
  seesRevocation: [LATE_WRITE, { ...NONE, attempts: 2, permits: 1 }],
  revokesEveryUser: [LATE_WRITE, { ...NONE, attempts: 2, permits: 1 }],
  guardsCopies: [STALE_READ, { ...NONE, writes: 2, copies: 1 }],
  ordersCopies: [/is missing on v3/, { ...NONE, members: 2, writes: 2, copies: 1 }],
  waitsForGateways: [STALE_READ, { ...NONE, gateways: 2 }],
  needsLease: [STALE_READ, { ...NONE, gateways: 2 }],
  registersFirst: [STALE_READ, { ...NONE, gateways: 2 }],
  sendsOnce: [/is carried out twice/, NONE],
  permitsNewUser: [LATE_WRITE, { ...NONE, permits: 1 }],
};

describe("a switch of gateways from v2 to v3", () => {
  const isLong = process.env.CUTOVER_LONG === "1";
  test.each(BOUNDS.filter((bounds) => isLong || bounds.isLong !== true))(
    "loses, repeats and hides no write: $members members, $gateways gateways, $writes writes, $attempts attempts",
    (bounds) => {
      const { found, reached, states } = explore(bounds, ALL_RULES);
      console.info(`${states} states`);
      expect(found).toBeUndefined();
      expect(reached).toEqual({ target: true, targetAfterAbort: bounds.attempts > 1 });
    },
  );

  const rules = Object.keys(FAULTS) as (keyof Rules)[];
  test.each(rules)("is wrong without the rule %s", (rule) => {
    const [fault, bounds] = FAULTS[rule];
    const { found, states } = explore(bounds, { ...ALL_RULES, [rule]: false });
    console.info(`${states} states; ${found?.problem}, in ${found?.steps.length} steps`);
    expect(found?.problem).toMatch(fault);
  });
});
