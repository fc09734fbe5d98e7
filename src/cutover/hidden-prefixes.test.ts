import { expect, test } from "vitest";
import { hiddenPrefixes } from "./hidden-prefixes.js";

test("each hidden segment ends a prefix", () => {
  expect(hiddenPrefixes("/a/b")).toEqual([]);
  expect(hiddenPrefixes("/a_/b")).toEqual([]);
  expect(hiddenPrefixes("/_a")).toEqual(["/_a"]);
  expect(hiddenPrefixes("/a/_b/c/_d/e")).toEqual(["/a/_b", "/a/_b/c/_d"]);
});
