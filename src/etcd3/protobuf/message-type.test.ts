import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../errors/cluster-errors.js";
import { MessageType } from "./message-type.js";

const INNER = new MessageType({ name: [1, "text"], self: [2, (): MessageType => INNER] });
const OUTER = new MessageType({
  data: [1, "bytes"],
  count: [2, "integer"],
  lease: [3, "id"],
  cluster: [4, "uid"],
  sort: [5, ["NONE", "UP", "DOWN"]],
  on: [6, "flag"],
  one: [64, INNER],
  many: [8, INNER, "repeated"],
  names: [9, "text", "repeated"],
});
const hex = (type: MessageType, message: object): string => type.encode(message).toString("hex");

describe("a message of Protocol Buffers", () => {
  test("has the bytes that its specification gives", () => {
    expect(hex(OUTER, { count: 150 })).toBe("109601");
    expect(hex(OUTER, { count: "-1" })).toBe("10ffffffffffffffffff01");
    expect(hex(OUTER, { data: "AAE=" })).toBe("0a020001");
    expect(hex(OUTER, { one: { name: "testing" } })).toBe("8204090a0774657374696e67");
    expect(hex(OUTER, { names: ["a", "é"], sort: "DOWN", on: true })).toBe(
      "4a01614a02c3a928023001",
    );
  });

  test("is read as it was written", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 200 });
    const inner = fc.record({ name: text, self: fc.record({ name: text }) });
    const outer = fc.record({
      data: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString("base64")),
      count: fc.maxSafeInteger(),
      lease: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
      cluster: fc.bigInt(0n, 2n ** 64n - 1n).map(String),
      sort: fc.constantFrom("NONE", "UP", "DOWN"),
      on: fc.boolean(),
      one: inner,
      many: fc.array(inner, { minLength: 1 }),
      names: fc.array(text, { minLength: 1 }),
    });
    fc.assert(
      fc.property(outer, (message) => {
        expect(OUTER.decode(OUTER.encode(message))).toEqual(message);
      }),
    );
  });

  test("may be larger than what is kept to write it in", () => {
    const data = Buffer.alloc(3_000_000, 1).toString("base64");
    expect(OUTER.decode(OUTER.encode({ data, names: ["a"] }))).toEqual({ data, names: ["a"] });
  });

  test("is not sent with a field that it does not have", () => {
    expect(() => OUTER.encode({ cuont: 1 })).toThrow(
      new TypeError("the message has no field cuont"),
    );
  });

  test("may have fields of newer servers, of any kind", () => {
    const unknown = "a001017a020001990100000000000000009d0100000000";
    expect(OUTER.decode(Buffer.from(`${unknown}3001`, "hex"))).toEqual({ on: true });
  });

  test("that is cut off anywhere is no message", () => {
    const whole = OUTER.encode({ data: "AAECAw==", one: { name: "testing" }, lease: "-5" });
    for (let length = 1; length < whole.length; length++) {
      try {
        const cut = OUTER.decode(whole.subarray(0, length));
        expect(Object.keys(cut).length).toBeLessThan(3);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }
  });

  test.each([
    ["ends in a number of a fixed length", "190000"],
    ["holds one with a field that goes beyond it", "820402" + "0a03" + "616263"],
    ["has a number of 65 bits", "1080808080808080808002"],
    ["has a number of eleven groups", "108080808080808080808001"],
    ["has a number without end", `10${"80".repeat(20)}`],
    ["has a group, as was done long ago", "0b0c"],
    ["says that it is longer than memory", "0affffffffffffffffff01"],
  ])("that %s is no message", (_what, hex) => {
    expect(() => OUTER.decode(Buffer.from(hex, "hex"))).toThrow(ProtocolError);
  });

  test("keeps every bit of a number, and every sign", () => {
    for (const number of ["9007199254740993", "-9007199254740993", "9223372036854775807"]) {
      const { count, lease } = OUTER.decode(OUTER.encode({ count: number, lease: number }));
      expect([String(count), lease]).toEqual([number, number]);
    }
    expect(OUTER.decode(OUTER.encode({ cluster: "18446744073709551615" }))).toEqual({
      cluster: "18446744073709551615",
    });
  });

  test("leaves out what is undefined, as JSON does", () => {
    expect(hex(OUTER, { data: undefined, names: undefined, count: 1 })).toBe("1001");
  });

  test("of random bytes fails as an answer that cannot be read, or holds something", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          OUTER.decode(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});
