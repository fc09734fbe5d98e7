import { expect, it } from "vitest";
import { withoutStack } from "./without-stack.js";

it("errors of a call have no stack, and later ones have one, even if it throws", () => {
  const { stackTraceLimit } = Error;
  expect(withoutStack(() => new Error("a").stack)).toBe("Error: a");
  const fail = (): never => {
    throw new RangeError("b");
  };
  expect(() => withoutStack(fail)).toThrow("b");
  expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  expect(new Error("c").stack).toMatch(/without-stack\.test/);
});
