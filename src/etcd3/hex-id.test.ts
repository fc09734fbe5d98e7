import { expect, it } from "vitest";
import { toDecimalId, toHexId } from "./hex-id.js";

it("ids of 64 bits keep every digit", () => {
  expect(toHexId("18446744073709551615")).toBe("ffffffffffffffff");
  expect(toHexId("-1")).toBe("ffffffffffffffff");
  expect(toDecimalId("e50c8c1d5bdfd330")).toBe("16504720792129360688");
});
