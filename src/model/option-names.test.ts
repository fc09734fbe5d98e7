import { expect, expectTypeOf, it, test } from "vitest";
import { type KnownOptions, refuseUnknown } from "./option-names.js";

interface Options {
  readonly ttl?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const KNOWN: KnownOptions<Options> = { ttl: true, signal: true };

test("the compiler requires each option, and accepts no other", () => {
  expectTypeOf<{ ttl: true; signal: true }>().toExtend<KnownOptions<Options>>();
  expectTypeOf<{ ttl: true }>().not.toExtend<KnownOptions<Options>>();
  // @ts-expect-error -- the option is not one of the type
  const more: KnownOptions<Options> = { ttl: true, signal: true, tll: true };
  expect(more).toBeDefined();
});

it("accepts known options, and none", () => {
  refuseUnknown({ ttl: 1 }, { ttl: true });
  refuseUnknown<Options>({}, KNOWN);
});

test.each([
  [
    { tll: 1 },
    undefined,
    /^tll: is not an option of this call \(did you mean ttl\?\); it takes ttl, signal$/,
  ],
  [{ constructor: 1 }, undefined, /^constructor: is not an option of this call/],
  [
    { tll: 1 },
    "lease",
    /^lease.tll: is not an option of lease \(did you mean ttl\?\); it takes ttl, signal$/,
  ],
  [5, undefined, /^options: must be an object with ttl, signal, not 5$/],
  [null, "lease", /^lease: must be an object with ttl, signal, not null$/],
])("refuses %j", (options, owner, message) => {
  expect(() => refuseUnknown(options as Options, KNOWN, owner)).toThrow(message);
});
