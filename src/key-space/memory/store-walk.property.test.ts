import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED } from "../../../test/support/seed.js";
import { executeStep, storeStep } from "../../../test/support/store-steps.js";
import { Store } from "./store.js";
import type { RemovedPath, SnapshotNode } from "./store-walk.js";

function overlay(lines: readonly (SnapshotNode | RemovedPath)[]): readonly SnapshotNode[] {
  const nodes = new Map<string, SnapshotNode>();
  for (const line of lines) {
    if (line.length === 1) nodes.delete(line[0]);
    else nodes.set(line[0], line);
  }
  return [...nodes.values()];
}

test("a walk with requests in between reads the store at the end of the walk", () => {
  fc.assert(
    fc.property(
      fc.array(storeStep, { maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(3), storeStep), { maxLength: 20 }),
      (before, during) => {
        const store = new Store();
        let now = Date.UTC(2030, 0, 1);
        for (const next of before) executeStep(store, next, now++);
        const walk = store.walk();
        const nodes = walk.unchanged();
        const read: (SnapshotNode | RemovedPath)[] = [];
        for (const [count, next] of during) {
          for (let taken = 0; taken < count; taken++) {
            const { value } = nodes.next();
            if (value !== undefined) read.push(value);
          }
          executeStep(store, next, now++);
        }
        read.push(...nodes, ...walk.end());
        const restored = Store.restore({ index: store.index, nodes: overlay(read) });
        const byPath = ({ nodes }: { readonly nodes: readonly SnapshotNode[] }) =>
          nodes.toSorted(([a], [b]) => (a < b ? -1 : 1));
        expect(byPath(restored.snapshot())).toEqual(byPath(store.snapshot()));
      },
    ),
    { seed: SEED, numRuns: 500 },
  );
});

test("a snapshot with nodes without a directory is refused with the path", () => {
  const file = ["/a", "1", 4, 4, null] as const;
  for (const nodes of [
    [["/b/c", "1", 4, 4, null] as const],
    [file, ["/a/b", "1", 5, 5, null] as const],
  ]) {
    expect(() => Store.restore({ index: 5, nodes })).toThrow(
      /node \/(b\/c|a\/b) has no parent directory/,
    );
  }
});
