import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED } from "../../../test/support/seed.js";
import { executeStep, storeStep } from "../../../test/support/store-steps.js";
import type { EtcdNode } from "../../model/node.js";
import { Listing } from "./listing.js";
import { NodeTree } from "./node-tree.js";
import { Store } from "./store.js";

test("a listing with requests between its steps returns the state at its start", () => {
  fc.assert(
    fc.property(
      fc.array(storeStep, { maxLength: 30 }),
      fc.array(storeStep, { maxLength: 30 }),
      fc.record({ recursive: fc.boolean(), sorted: fc.boolean() }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom("/", "/a"),
      (before, between, how, stepNodes, key) => {
        const store = new Store();
        for (const step of before) executeStep(store, step, 0);
        if (!store.has(key === "/" ? "" : key)) return;
        const request = { action: "get", key, ...how } as const;
        const expected = structuredClone(store.apply(request, 500).node);
        using listing = store.list(request, 500, stepNodes);
        const later = between.values();
        for (const _step of listing.steps()) {
          const { value } = later.next();
          if (value !== undefined) executeStep(store, value, 1_000);
        }
        expect(listing.node).toEqual(expected);
      },
    ),
    { seed: SEED, numRuns: 300 },
  );
});

test("a listing in steps has the order of the bytes of the keys", () => {
  const names = ["b", "\u{1f600}", "\uffee", "a", "_hidden", "ü", "ab", "c", "A", "é"];
  const tree = new NodeTree();
  tree.restore(names.map((name) => [`/${name}`, name, 1, 1, null] as const));
  const root = tree.get("");
  if (root === undefined) throw new Error("the tree has no root");
  const keysWith = (stepNodes: number): readonly string[] => {
    const options = { recursive: false, sorted: true, now: 0, stepNodes };
    return keysOf(new Listing(root, options, () => {}).finish());
  };
  const expected = names
    .filter((name) => name !== "_hidden")
    .map((name) => `/${name}`)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (let stepNodes = 1; stepNodes <= names.length + 1; stepNodes++) {
    expect(keysWith(stepNodes)).toEqual(expected);
  }
});

function keysOf({ nodes = [] }: EtcdNode): readonly string[] {
  return nodes.map(({ key }) => key);
}
