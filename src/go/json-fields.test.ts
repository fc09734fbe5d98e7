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
  it.each(DOCUMENTS)("%s is read whole", (text) => {
    expect(readWholeJson(text)).toEqual(JSON.parse(text));
  });

  it.each(DOCUMENTS)("%s cut short anywhere is refused", (text) => {
    for (let end = 0; end < text.trimEnd().length; end++) {
      const cut = text.slice(0, end);
      expect(() => readWholeJson(cut), cut).toThrow(/^(unexpected end of JSON input|invalid char)/);
    }
  });

  it("may be followed by anything where only the first value is asked for", () => {
    expect(readFirstJson('{"a":1} }')).toEqual({ a: 1 });
    expect(readFirstJson("[1]x")).toEqual([1]);
  });

  it("is refused in Go's words", () => {
    expect(() => readWholeJson("{'a'}")).toThrow(
      "invalid character '\\'' looking for beginning of object key string",
    );
    expect(() => readWholeJson("truE")).toThrow(
      "invalid character 'E' in literal true (expecting 'e')",
    );
    expect(() => readWholeJson("1 2")).toThrow("invalid character '2' after top-level value");
  });

  it("may be nested as deeply as in Go, and no deeper", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(() => readWholeJson(nested(10_000))).not.toThrow();
    expect(() => readWholeJson(nested(10_001))).toThrow("exceeded max depth");
    expect(() => readWholeJson("[".repeat(5_000_000))).toThrow("exceeded max depth");
  });

  it("may hold long strings", () => {
    const text = JSON.stringify("x\\\n".repeat(1_000_000));
    expect(readWholeJson(text)).toBe(JSON.parse(text));
  });
});

describe("a field", () => {
  it("is found in whatever case", () => {
    expect(fieldOf({ AB: 1, b: 2, ab: 3 }, "aB")).toEqual({ found: [1, 3] });
  });

  it("is nowhere in null, and not looked for in what is no object", () => {
    expect(fieldOf(null, "a")).toEqual({ found: [] });
    expect(fieldOf([], "a")).toEqual({ found: undefined, kind: "array" });
    expect(fieldOf("a", "a")).toEqual({ found: undefined, kind: "string" });
  });
});
