/** What the benchmarks compute from what they measure: charts, tables, the simulation. That they run is part of `npm run check`. */

import { expect, test } from "vitest";
import { draw, short } from "../bench/chart.mjs";
import { replaced } from "../bench/pages.mjs";
import { gatewaysNeeded, simulate } from "../bench/simulation.mjs";

const costs = { base: 500, event: 20, poll: 40, fanOut: 10, reader: 0 };

/** Watcher by watcher, on one gateway. */
function oneByOne(watchers: number, roundTrip: number) {
  const times = Array.from({ length: watchers }, (_, n) => costs.base + (n + 1) * costs.event);
  let free = times.at(-1) ?? 0;
  for (const time of times) free = Math.max(free, time + roundTrip) + costs.poll;
  return { median: times[Math.ceil(watchers / 2) - 1] ?? 0, last: times.at(-1) ?? 0, ready: free };
}

test.each([
  [1, 0],
  [10_000, 0],
  [10_000, 1_000],
  [100, 50_000],
])(
  "%i watchers of one gateway, a round trip of %i µs: as when each is simulated",
  (watchers, roundTrip) => {
    const outcome = simulate({ watchers, gateways: 1, cores: 1, roundTrip }, costs);
    const expected = oneByOne(watchers, roundTrip);
    expect(outcome.median).toBeCloseTo(expected.median / 1000, 2);
    expect(outcome.last).toBeCloseTo(expected.last / 1000, 9);
    expect(outcome.ready).toBeCloseTo(expected.ready / 1000, 9);
  },
);

test("gateways share the watchers, and etcd tells them one after another", () => {
  const system = { watchers: 1_000_000, roundTrip: 0 };
  const one = simulate({ ...system, gateways: 1, cores: 1 }, costs);
  const ten = simulate({ ...system, gateways: 10, cores: 10 }, costs);
  const crowded = simulate({ ...system, gateways: 10, cores: 5 }, costs);
  expect(one.last).toBeCloseTo(20_000.5, 9);
  expect(ten.last / one.last).toBeGreaterThan(0.1);
  expect(ten.last / one.last).toBeLessThan(0.102);
  expect(crowded.last / ten.last).toBeCloseTo(2, 2);
  expect(ten.cpu).toBeCloseTo(60_000.1, 9);
});

test("the reader on the same cores can be what takes longest", () => {
  const system = { watchers: 10_000, gateways: 2, cores: 2, roundTrip: 0 };
  const { last } = simulate(system, { ...costs, reader: 30 });
  expect(last).toBeCloseTo((costs.base + 10_000 * 30 * 1.5) / 1000, 9);
});

test("one gateway less than needed is too slow", () => {
  const watchers = 1_000_000;
  const gateways = gatewaysNeeded(watchers, 1_000, costs) ?? 0;
  const last = (count: number) =>
    simulate({ watchers, gateways: count, cores: count, roundTrip: 0 }, costs).last;
  expect(last(gateways)).toBeLessThanOrEqual(1_000);
  expect(last(gateways - 1)).toBeGreaterThan(1_000);
  expect(gatewaysNeeded(watchers, 0.1, costs)).toBeUndefined();
});

const chart = { title: "Gets <now>", x: "keys", y: "calls & more", kind: "lines" } as const;

test("a chart says what it shows, and escapes it", () => {
  const points = [
    [1_000, 10],
    [1_000_000, 1_000],
  ] as const;
  const picture = draw(chart, [{ name: "a & b", points }], "measured here");
  expect(picture).toContain('<title id="title">Gets &lt;now&gt;</title>');
  expect(picture).toContain("a &amp; b: 10 at 1,000, 1,000 at 1 M.");
  expect(picture).not.toMatch(/NaN|undefined|Infinity/);
});

test.each(["lines", "bars"] as const)(
  "%s lie within the plot, also with one value or none",
  (kind) => {
    for (const isLog of [false, true]) {
      for (const points of [
        [],
        [[1, 5]],
        [
          [1, 0],
          [2, 7e6],
        ],
      ] as const) {
        const picture = draw({ ...chart, kind, isLog }, [{ name: "a", points }], "");
        expect(picture).not.toMatch(/NaN|undefined|Infinity|="-\d|translate\(-| -\d+(\.\d)?\)/);
      }
    }
  },
);

test("a mark is at the height of its value on the axis", () => {
  const points = [
    [1, 150],
    [2, 40],
  ] as const;
  const picture = draw({ ...chart, isLog: true }, [{ name: "a", points }], "");
  const ticks = [
    ...picture.matchAll(/class="soft" x="70" y="([\d.]+)" text-anchor="end">([\d,]+)</g),
  ];
  const heights = new Map(ticks.map(([, y, value]) => [value, Number(y) - 4]));
  const [, low = Number.NaN, high = Number.NaN] = [
    ...picture.matchAll(/translate\([\d.]+ ([\d.]+)\)/g),
  ]
    .map(([, y]) => Number(y))
    .slice(-3);
  const perPower = (heights.get("10") ?? 0) - (heights.get("100") ?? 0);
  expect(perPower).toBeGreaterThan(100);
  expect(high).toBeCloseTo((heights.get("10") ?? 0) - Math.log10(4) * perPower, 0);
  expect(low).toBeCloseTo((heights.get("10") ?? 0) - Math.log10(15) * perPower, 0);
});

test.each([
  [0.123, "0.12"],
  [99.6, "100"],
  [1_234, "1,234"],
  [224_059, "224 k"],
  [1_000_000, "1 M"],
])("%d is shown as %s", (value, text) => {
  expect(short(value)).toBe(text);
});

test("a section is replaced between its marks", () => {
  const page = "a <!-- bench x: begin -->\nold\n<!-- bench x: end --> b";
  expect(replaced(page, "x", "new")).toBe(
    "a <!-- bench x: begin -->\n\nnew\n\n<!-- bench x: end --> b",
  );
  expect(() => replaced(page, "y", "new")).toThrow("bench y: begin");
});
