import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED } from "../../../test/support/seed.js";
import type { KeyRequest } from "../../model/key-request.js";
import { StoreError } from "../shared/store-error.js";
import { Store } from "./store.js";
import type { RemovedPath, SnapshotNode } from "./store-walk.js";

const key = fc
  .array(fc.constantFrom("a", "b", "_c"), { minLength: 1, maxLength: 3 })
  .map((names) => `/${names.join("/")}`);
const lifetime = fc.constantFrom({}, { ttl: 1 }, { ttl: 1000 });
const value = fc.constantFrom("1", "2");
const request: fc.Arbitrary<KeyRequest> = fc.oneof(
  fc.record({ action: fc.constant("set" as const), key, value }),
  fc
    .tuple(key, lifetime)
    .map(([at, ttl]): KeyRequest => ({ action: "set", key: at, dir: true, ...ttl })),
  fc
    .tuple(key, lifetime)
    .map(([at, ttl]): KeyRequest => ({ action: "update", key: at, value: "", ...ttl })),
  key.map((at): KeyRequest => ({ action: "create", key: at, value: "3", inOrder: true })),
  key.map((at): KeyRequest => ({ action: "delete", key: at, recursive: true })),
);
const step = fc.oneof(
  { weight: 4, arbitrary: request },
  { weight: 1, arbitrary: fc.constant("expire" as const) },
);

function carryOut(store: Store, next: KeyRequest | "expire", now: number): void {
  try {
    if (next === "expire") store.expireNext(now + 10_000);
    else store.apply(next, now);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

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
      fc.array(step, { maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(3), step), { maxLength: 20 }),
      (before, during) => {
        const store = new Store();
        let now = Date.UTC(2030, 0, 1);
        for (const next of before) carryOut(store, next, now++);
        const walk = store.walk();
        const nodes = walk.unchanged();
        const read: (SnapshotNode | RemovedPath)[] = [];
        for (const [count, next] of during) {
          for (let taken = 0; taken < count; taken++) {
            const { value } = nodes.next();
            if (value !== undefined) read.push(value);
          }
          carryOut(store, next, now++);
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
