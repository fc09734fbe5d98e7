import { describe, expect, test } from "vitest";
import { ALL_RULES, type Bounds, exploreReturn, type Rules } from "./return-model.js";

const NONE: Bounds = {
  gateways: 1,
  writes: 1,
  reads: 0,
  localReads: 0,
  attempts: 1,
  copies: 0,
  lapses: 0,
  from: 1,
  to: 2,
};
/** A gateway may lose its registration. */
const LAPSE: Bounds = { ...NONE, lapses: 1 };
const NEXT: Bounds = { ...LAPSE, to: 3 };

/** What is explored completely. CUTOVER_LONG=1 adds the larger ones, for minutes. */
const BOUNDS: readonly (Bounds & { readonly isLong?: boolean })[] = [
  { ...NONE, writes: 2, copies: 1 },
  { ...LAPSE, reads: 1 },
  { ...LAPSE, gateways: 2 },
  { ...LAPSE, attempts: 2, copies: 1 },
  { ...NEXT, gateways: 2 },
  { ...NEXT, lapses: 0, localReads: 1 },
  { ...NEXT, from: 0, attempts: 2 },
  { ...LAPSE, gateways: 2, writes: 2, isLong: true },
  { ...LAPSE, gateways: 2, reads: 1, copies: 1, isLong: true },
  { ...LAPSE, writes: 2, attempts: 2, copies: 2, isLong: true },
  { ...NEXT, localReads: 1, isLong: true },
  { ...NEXT, gateways: 2, reads: 1, isLong: true },
  { ...NEXT, gateways: 2, attempts: 2, copies: 1, isLong: true },
  { ...NEXT, from: 0, writes: 2, copies: 1, isLong: true },
];

const LOST = /an acknowledged write is missing/;
const STALE = /a local read is without an acknowledged write/;

/** The fault that appears without a rule, and where. */
const FAULTS: Readonly<Record<keyof Rules, readonly [fault: RegExp, bounds: Bounds]>> = {
  judgesResponses: [LOST, NONE],
  confirms: [LOST, LAPSE],
  countsSwitches: [LOST, { ...NEXT, lapses: 0 }],
  sendsOnce: [/is carried out twice/, NONE],
  waitsForGateways: [LOST, NONE],
  readsEndLast: [LOST, NONE],
  comparesState: [LOST, NONE],
  returnsAlone: [LOST, { ...NONE, attempts: 2, copies: 1 }],
  waitsForLateCopies: [LOST, { ...NONE, attempts: 2, copies: 1 }],
  stopsWhenUncertain: [LOST, { ...NONE, copies: 1 }],
  raisesIndex: [/indexes decrease/, NONE],
  repeatsReadsOfV2: [STALE, { ...NONE, localReads: 1 }],
  knowsLastCopy: [STALE, { ...NONE, localReads: 1 }],
  repeatsReadsOfV3: [STALE, { ...NONE, localReads: 1, to: 3 }],
  armsAll: [LOST, NEXT],
  needsRegistration: [LOST, NEXT],
};

describe("a return of gateways from v3 to v2", () => {
  const isLong = process.env.CUTOVER_LONG === "1";
  test.each(BOUNDS.filter((bounds) => isLong || bounds.isLong !== true))(
    "loses, repeats and hides no write: $gateways gateways, $writes writes, $reads and $localReads reads, " +
      "$attempts attempts, $copies copies, $lapses lapses, $from to $to switches",
    (bounds) => {
      const { found, reached, states } = exploreReturn(bounds, ALL_RULES);
      console.info(`${states} states`);
      expect(found).toBeUndefined();
      const { attempts, to } = bounds;
      expect(reached).toEqual({ returned: true, returnedLater: attempts > 1, target: to === 3 });
    },
  );

  const rules = Object.keys(FAULTS) as (keyof Rules)[];
  test.each(rules)("is wrong without the rule %s", (rule) => {
    const [fault, bounds] = FAULTS[rule];
    const { found, states } = exploreReturn(bounds, { ...ALL_RULES, [rule]: false });
    console.info(`${states} states; ${found?.problem}, in ${found?.steps.length} steps`);
    expect(found?.problem).toMatch(fault);
  });
});
