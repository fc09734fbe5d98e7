import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { ProtocolError } from "../../errors/cluster-errors.js";
import { type MessageType, message } from "./message-type.js";

interface Inner {
  readonly name: string;
  readonly self: Inner | undefined;
}

const INNER: MessageType<Inner> = message({ name: [1, "text"], self: [2, () => INNER] });
const OUTER = message({
  data: [1, "bytes"],
  count: [2, "integer"],
  revision: [7, "natural"],
  lease: [3, "id"],
  cluster: [4, "uid"],
  sort: [5, ["NONE", "UP", "DOWN"]],
  on: [6, "flag"],
  one: [64, INNER],
  many: [8, INNER, "repeated"],
  names: [9, "text", "repeated"],
});
const hex = (message: Parameters<typeof OUTER.encode>[0]): string =>
  OUTER.encode(message).toString("hex");
/** All fields with their default values. */
const NO_OUTER = OUTER.empty();

describe("a message of Protocol Buffers", () => {
  test("has the bytes that its specification gives", () => {
    expect(hex({ count: 150 })).toBe("109601");
    expect(hex({ count: -1 })).toBe("10ffffffffffffffffff01");
    expect(hex({ data: Buffer.of(0, 1) })).toBe("0a020001");
    expect(hex({ data: "é" })).toBe("0a02c3a9");
    expect(hex({ one: { name: "testing" } })).toBe("8204090a0774657374696e67");
    expect(hex({ names: ["a", "é"], sort: "DOWN", on: true })).toBe("4a01614a02c3a928023001");
  });

  test("is read as it was written", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 200 });
    const inner = fc.record({
      name: text,
      self: fc.record({ name: text, self: fc.constant(undefined) }),
    });
    const outer = fc.record({
      data: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
      count: fc.maxSafeInteger(),
      revision: fc.nat(),
      lease: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
      cluster: fc.bigInt(0n, 2n ** 64n - 1n).map(String),
      sort: fc.constantFrom("NONE" as const, "UP" as const, "DOWN" as const),
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
    const large = Buffer.alloc(3_000_000, 1);
    const { data, names } = OUTER.decode(OUTER.encode({ data: large, names: ["a"] }));
    expect([data.equals(large), names]).toEqual([true, ["a"]]);
  });

  test("is not sent with a field that it does not have", () => {
    // @ts-expect-error It does not compile either.
    expect(() => OUTER.encode({ cuont: 1 })).toThrow(
      new TypeError("the message has no field cuont"),
    );
  });

  test("has the static type that follows from its fields", () => {
    expectTypeOf(OUTER.decode(Buffer.alloc(0))).toEqualTypeOf<{
      readonly data: Buffer;
      readonly count: number;
      readonly revision: number;
      readonly lease: string;
      readonly cluster: string;
      readonly sort: "NONE" | "UP" | "DOWN";
      readonly on: boolean;
      readonly one: Inner | undefined;
      readonly many: readonly Inner[];
      readonly names: readonly string[];
    }>();
    expectTypeOf(OUTER.encode).toBeCallableWith({ data: "text", one: { self: { name: "a" } } });
  });

  test("may have fields of newer servers, of any kind", () => {
    const unknown = "a001017a020001990100000000000000009d0100000000";
    expect(OUTER.decode(Buffer.from(`${unknown}3001`, "hex"))).toEqual({
      ...NO_OUTER,
      on: true,
    });
  });

  test("that is cut off anywhere is no message", () => {
    const whole = OUTER.encode({
      data: Buffer.of(0, 1, 2, 3),
      one: { name: "testing" },
      lease: "-5",
    });
    for (let length = 1; length < whole.length; length++) {
      try {
        const cut = OUTER.decode(whole.subarray(0, length));
        expect(cut.lease).toBe("0");
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
    for (const lease of ["9007199254740993", "-9007199254740993", "9223372036854775807"]) {
      expect(OUTER.decode(OUTER.encode({ lease })).lease).toBe(lease);
    }
    const cluster = "18446744073709551615";
    expect(OUTER.decode(OUTER.encode({ cluster })).cluster).toBe(cluster);
    for (const count of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      expect(OUTER.decode(OUTER.encode({ count })).count).toBe(count);
    }
  });

  test("is refused with a number for arithmetic that would be rounded", () => {
    for (const lease of ["9007199254740992", "-9007199254740992"]) {
      const rounded = Buffer.from(OUTER.encode({ lease }));
      rounded[0] = 2 * 8;
      expect(() => OUTER.decode(rounded)).toThrow("count is not an integer up to 2^53 - 1");
    }
  });

  test("is refused with an unknown value of an enum", () => {
    expect(() => OUTER.decode(Buffer.from("2803", "hex"))).toThrow("sort has the unknown value 3");
  });

  test("does not keep the response that its bytes were in", () => {
    const response = OUTER.encode({ data: "a", names: ["x".repeat(100_000)] });
    expect(OUTER.decode(response).data.buffer).not.toBe(response.buffer);
  });

  test("leaves out what is undefined, as JSON does", () => {
    expect(hex({ data: undefined, names: undefined, count: 1 })).toBe("1001");
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
