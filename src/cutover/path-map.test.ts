import fc from "fast-check";
import { expect, test } from "vitest";
import { PathMap } from "./path-map.js";

test("finds what is below a directory, whatever was set and removed before", () => {
  const path = fc
    .array(fc.constantFrom("a", "b", "_c", "ab"), { minLength: 1, maxLength: 4 })
    .map((names) => `/${names.join("/")}`);
  const steps = fc.array(fc.record({ path, removes: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, path, (all, directory) => {
      const [map, model] = [new PathMap<number>(), new Map<string, number>()];
      for (const [at, { path, removes }] of all.entries()) {
        if (removes) expect(map.delete(path)).toBe(model.delete(path));
        else {
          map.set(path, at);
          model.set(path, at);
        }
      }
      const expected = [...model.keys()].filter((key) => key.startsWith(`${directory}/`));
      expect([...map.below(directory)].sort()).toEqual(expected.sort());
      expect(map.get(directory)).toBe(model.get(directory));
      expect(map.has(directory)).toBe(model.has(directory));
      for (const key of [...model.keys()]) map.delete(key);
      expect(map.below("")).toEqual([]);
    }),
  );
});
