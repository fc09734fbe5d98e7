import { expect, test } from "vitest";
import { crc32c } from "./crc32c.js";

test("the CRC-32C of known bytes, in one piece and in parts", () => {
  const digits = Buffer.from("123456789");
  expect(crc32c(digits)).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  for (let at = 0; at <= digits.length; at++) {
    expect(crc32c(digits.subarray(at), crc32c(digits.subarray(0, at)))).toBe(0xe3069283);
  }
});
