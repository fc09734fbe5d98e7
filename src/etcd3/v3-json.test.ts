import { expect, it } from "vitest";
import { ProtocolError } from "../errors/cluster-errors.js";
import { fromBase64, readId, readInt64, toBase64, toDecimalId, toHexId } from "./v3-json.js";

it("ids of 64 bits keep every digit", () => {
  expect(toHexId("18446744073709551615")).toBe("ffffffffffffffff");
  expect(toHexId("-1")).toBe("ffffffffffffffff");
  expect(toDecimalId("e50c8c1d5bdfd330")).toBe("16504720792129360688");
  expect(readId("16504720792129360688")).toBe("16504720792129360688");
  expect(readId(undefined)).toBe("0");
  expect(() => readId("\u{fffd}")).toThrow(ProtocolError);
});

it("numbers beyond 2^53 - 1 are refused, never rounded", () => {
  expect(readInt64("9007199254740991", "revision")).toBe(2 ** 53 - 1);
  expect(() => readInt64("9007199254740992", "revision")).toThrow(/revision .* 2\^53 - 1/);
  expect(() => readInt64("x", "revision")).toThrow(/revision/);
  expect(readInt64(undefined, "revision")).toBe(0);
});

it("bytes that are not UTF-8 are no text", () => {
  expect(fromBase64(toBase64("/ä\u{1f600}\0"))).toBe("/ä\u{1f600}\0");
  expect(fromBase64(Buffer.from([0xff]).toString("base64"))).toBeUndefined();
  expect(fromBase64(undefined)).toBe("");
});
