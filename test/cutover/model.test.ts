import { describe, expect, test } from "vitest";
import { ALL_RULES, type Bounds, exploreSwitch, type Rules } from "./model.js";

const NONE: Bounds = { gateways: 1, writes: 1, attempts: 1, copies: 0 };

/** What is explored completely. CUTOVER_LONG=1 adds the larger ones, for minutes. */
const BOUNDS: readonly (Bounds & { readonly isLong?: boolean })[] = [
  { ...NONE, writes: 2, copies: 1 },
  { ...NONE, gateways: 2, copies: 1 },
  { ...NONE, attempts: 2, copies: 1 },
  { ...NONE, writes: 2, copies: 2, isLong: true },
  { ...NONE, gateways: 2, writes: 2, isLong: true },
  { ...NONE, gateways: 2, attempts: 2, copies: 1, isLong: true },
  { ...NONE, writes: 3, attempts: 2, copies: 2, isLong: true },
];

const STALE_READ = /serves a read without an acknowledged write/;

/** The fault that appears without a rule, and where. */
const FAULTS: Readonly<Record<keyof Rules, readonly [fault: RegExp, bounds: Bounds]>> = {
  judgesResponses: [STALE_READ, NONE],
  waitsForGateways: [STALE_READ, NONE],
  needsRegistration: [STALE_READ, { ...NONE, gateways: 2 }],
  registersFirst: [STALE_READ, { ...NONE, gateways: 2 }],
  sendsOnce: [/is carried out twice/, NONE],
  guardsCopies: [STALE_READ, { ...NONE, writes: 2, copies: 1 }],
  voidsCopies: [/is missing on v3/, { ...NONE, writes: 2, copies: 2 }],
};

describe("a switch of gateways from v2 to v3", () => {
  const isLong = process.env.CUTOVER_LONG === "1";
  test.each(BOUNDS.filter((bounds) => isLong || bounds.isLong !== true))(
    "loses, repeats and hides no write: $gateways gateways, $writes writes, $attempts attempts, $copies copies",
    (bounds) => {
      const { found, reached, states } = exploreSwitch(bounds, ALL_RULES);
      console.info(`${states} states`);
      expect(found).toBeUndefined();
      expect(reached).toEqual({ target: true, targetAfterAbort: bounds.attempts > 1 });
    },
  );

  const rules = Object.keys(FAULTS) as (keyof Rules)[];
  test.each(rules)("is wrong without the rule %s", (rule) => {
    const [fault, bounds] = FAULTS[rule];
    const { found, states } = exploreSwitch(bounds, { ...ALL_RULES, [rule]: false });
    console.info(`${states} states; ${found?.problem}, in ${found?.steps.length} steps`);
    expect(found?.problem).toMatch(fault);
  });
});
