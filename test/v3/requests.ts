import fc from "fast-check";
import type { KeyRequest } from "../../src/model/key-request.js";

/**
 * Requests with a `prevIndex` relative to the start of a run, so that two key spaces can execute the same.
 */
const names = fc.constantFrom("a", "b", "_c", "é");
const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
const value = fc.constantFrom("x", "y", "", "€");
const flag = fc.boolean();
/** Seconds, longer than any run. TTLs of directories are longer than those of files. */
const fileTtl = fc.option(fc.constantFrom(1000, 1500), { nil: undefined });
const directoryTtl = fc.option(fc.constantFrom(2000, 3000), { nil: undefined });
const condition = fc.oneof(
  fc.record({ prevValue: fc.constantFrom("x", "y", "€") }),
  fc.record({ prevIndex: fc.integer({ min: 1, max: 20 }) }),
  fc.record({
    prevValue: fc.constantFrom("x", "y"),
    prevIndex: fc.integer({ min: 1, max: 20 }),
  }),
);
const content = fc.oneof(
  { weight: 4, arbitrary: fc.record({ value, ttl: fileTtl }) },
  { weight: 1, arbitrary: fc.record({ refresh: fc.constant(true), ttl: fc.constant(1200) }) },
);

/**
 * Any request. With `ttls`, directories may have them. The TTL of a directory is not changed: on v3
 * that writes to what is in it.
 */
export function requests(ttls: boolean): fc.Arbitrary<KeyRequest> {
  const directory = fc.record({
    dir: fc.constant(true),
    ttl: ttls ? directoryTtl : fc.constant(undefined),
  });
  const dir = fc.option(fc.constant(true), { nil: undefined });
  const update = ttls ? fc.record({ value: fc.constantFrom("x", "y") }) : fc.record({ value, dir });
  const shapes: readonly [number, fc.Arbitrary<object>][] = [
    [4, fc.record({ action: fc.constant("get"), recursive: flag, sorted: fc.constant(true) })],
    [4, with_("set", content)],
    [1, with_("set", directory)],
    [2, with_("create", fc.record({ value, ttl: fileTtl }))],
    [1, with_("create", directory)],
    [1, with_("create", fc.record({ value, inOrder: fc.constant(true) }))],
    [2, with_("update", update)],
    [3, with_("compareAndSwap", content, condition)],
    [2, fc.record({ action: fc.constant("delete"), dir: flag, recursive: flag })],
    [1, with_("compareAndDelete", condition)],
  ];
  const shape = fc.oneof(...shapes.map(([weight, arbitrary]) => ({ weight, arbitrary })));
  return fc.tuple(shape, path).map(([parameters, key]) => ({ ...parameters, key }) as KeyRequest);
}

function with_(action: string, ...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> {
  return fc.tuple(...parts).map((parameters) => Object.assign({ action }, ...parameters));
}
