import { describe, expect, it } from "vitest";
import { parseMediaType } from "./media-type.js";

describe("a media type is parsed as in Go", () => {
  it.each([
    ["text/plain", { type: "text/plain" }],
    [" Text/Plain ; charset=utf-8", { type: "text/plain" }],
    ["a{b}/c", { type: "a{b}/c" }],
    ["", { type: "", problem: "mime: no media type" }],
    ["/b", { type: "", problem: "mime: no media type" }],
    ["a b", { type: "", problem: "mime: expected slash after first token" }],
    ["a/;", { type: "", problem: "mime: expected token after slash" }],
    ["a/b c", { type: "", problem: "mime: unexpected content after media subtype" }],
    ["a/b;", { type: "a/b" }],
    ["a/b ; ", { type: "a/b" }],
    ["a/b;;", { type: "a/b", problem: "mime: invalid media parameter" }],
    ["a/b;x", { type: "a/b", problem: "mime: invalid media parameter" }],
    ["a/b;x=1;X=2", { type: "", problem: "mime: duplicate parameter name" }],
    ['a/b;x=""', { type: "a/b" }],
    ['a/b;x="1;2=3" ; y=4', { type: "a/b" }],
    ['a/b;x="\\n\\\\"', { type: "a/b" }],
    // The escaped quote does not end the string.
    ['a/b;x="\\"', { type: "a/b", problem: "mime: invalid media parameter" }],
    ['a/b;x="\\\\\\""', { type: "a/b" }],
  ])("%j", (text, expected) => {
    expect(parseMediaType(text)).toEqual(expected);
  });
});

it.each([
  ["escapes in an open string", `a/b;x="${"\\(".repeat(4_000)}`],
  ["spaces", `a/b;${" ".repeat(8_000)}x`],
  ["semicolons", `a/b${" ;".repeat(4_000)}x`],
  ["a token without a value", `a/b;${"x".repeat(8_000)}`],
])("refuses 8 KiB of %s at once", (_what, text) => {
  expect(parseMediaType(text).problem).toBe("mime: invalid media parameter");
});

it("reads 8 KiB, and refuses more", () => {
  expect(parseMediaType(`a/b;x=${"y".repeat(8_186)}`)).toEqual({ type: "a/b" });
  expect(parseMediaType(`a/b;x=${"y".repeat(8_187)}`).problem).toBe(
    "mime: invalid media parameter",
  );
});
