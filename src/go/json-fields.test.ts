import { describe, expect, it } from "vitest";
import { fieldOf, readFirstJson, readWholeJson } from "./json-fields.js";

const DOCUMENTS = [
  "null",
  ' {"a":[1,-0.5e+3,{"b":{}}],"c":[],"é\\u00e9\\n":"\\"x/"} ',
  "0",
  '""',
  "[[],[{}],true,false,null]",
];

describe("a JSON text", () => {
  it.each(DOCUMENTS)("%s is read completely", (text) => {
    expect(readWholeJson(text)).toEqual(JSON.parse(text));
  });

  it.each(DOCUMENTS)("%s is refused if it is cut anywhere", (text) => {
    for (let end = 0; end < text.trimEnd().length; end++) {
      const cut = text.slice(0, end);
      expect(() => readWholeJson(cut), cut).toThrow(/^(unexpected end of JSON input|invalid char)/);
    }
  });

  it("may be followed by anything if only the first value is read", () => {
    expect(readFirstJson('{"a":1} }')).toEqual({ a: 1 });
    expect(readFirstJson("[1]x")).toEqual([1]);
  });

  it("is refused with Go's message", () => {
    expect(() => readWholeJson("{'a'}")).toThrow(
      "invalid character '\\'' looking for beginning of object key string",
    );
    expect(() => readWholeJson("truE")).toThrow(
      "invalid character 'E' in literal true (expecting 'e')",
    );
    expect(() => readWholeJson("1 2")).toThrow("invalid character '2' after top-level value");
  });

  it("has the same nesting limit as in Go", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(() => readWholeJson(nested(10_000))).not.toThrow();
    expect(() => readWholeJson(nested(10_001))).toThrow("exceeded max depth");
    expect(() => readWholeJson("[".repeat(5_000_000))).toThrow("exceeded max depth");
  });

  it("may contain long strings", () => {
    const text = JSON.stringify("x\\\n".repeat(1_000_000));
    expect(readWholeJson(text)).toBe(JSON.parse(text));
  });
});

describe("a field", () => {
  it("is found in any case", () => {
    expect(fieldOf({ AB: 1, b: 2, ab: 3 }, "aB")).toEqual({ found: [1, 3] });
  });

  it("does not exist in null, and other values are an error", () => {
    expect(fieldOf(null, "a")).toEqual({ found: [] });
    expect(fieldOf([], "a")).toEqual({ found: undefined, kind: "array" });
    expect(fieldOf("a", "a")).toEqual({ found: undefined, kind: "string" });
  });
});
