import fc, { type Arbitrary } from "fast-check";
import { weighted } from "./weighted.js";

const flag = weighted({
  ...{ true: 30, false: 12, "1": 2, t: 1, T: 1, TRUE: 1, True: 1, "0": 1, f: 1, F: 1, FALSE: 1 },
  ...{ False: 1, "": 1, yes: 1, TrUe: 1, " true": 1, "2": 1 },
});

const index = weighted({
  ...{ "{m}": 20, "{i}": 8, "{i-1}": 4, "{i-2}": 2, "{i+1}": 1, "0": 3, "1": 2, "007": 1 },
  ...{ "": 1, x: 1, "-1": 1, "+1": 1, " 1": 1, "1.0": 1, "0x1": 1, "1_0": 1, "1e3": 1 },
  ...{ "9007199254740991": 1, "18446744073709551616": 1 },
});

const ttl = weighted({
  ...{ "100": 12, "": 4, "0100": 1, "1000000": 1, "7400000000": 1, "-1": 1, "1.5": 1, NaN: 1 },
  ...{ "5s": 1, "+5": 1, " 5": 1, "18446744073709551616": 1, x: 1 },
});

const value = weighted({
  ...{ "1": 20, "2": 14, "": 4, "3": 4, "a b+c": 1, "<x>&'\"\\": 1, "\n\r\t\b\f\0\x1b\x7f": 1 },
  ...{ "é€😀": 1, "\u2028\u2029\ufeff\ufffd": 1, "a=b&c;d%zz": 1, "\ue000\uffff": 1 },
  ...{ [`long ${"x".repeat(700)}`]: 1, SIZED: 2 },
});

/** With which answers come to lie around the 2048 bytes from which they are sent in chunks. */
const size = fc.integer({ min: 1_930, max: 1_980 });
const anyValue = fc
  .tuple(value, size)
  .map(([text, length]) => (text === "SIZED" ? "y".repeat(length) : text));

/** Ways to write the same. */
type Style = (text: string) => string;

const percent: Style = (text) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");

const STYLES: readonly Style[] = [
  (text) => encodeURIComponent(text),
  (text) => encodeURIComponent(text).replaceAll("%20", "+"),
  (text) => (text.includes("{") ? text : percent(text)),
  // As the bytes are, where they do not mean something else.
  (text) =>
    Buffer.from(text)
      .toString("latin1")
      .replace(/[\0-\x20\x7f%+&;#]/g, percent),
];
const style = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(1, 2, 3) },
);

function parameter(name: string, content: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(content, style).map(([text, number]) => {
    const write = STYLES[number] ?? String;
    const written = text.startsWith("{") ? text : write(text);
    const label = number === 2 ? percent(name) : name;
    return written === "" && number === 1 ? label : `${label}=${written}`;
  });
}

const junk = fc.constantFrom(
  ...[";", "a;b", "%zz", "x=%", "x=%2", "%4", "", "=", "=v", "unknown=1", "Value=9", "value=a=b"],
  ...[
    "value=%2",
    "VALUE",
    "%76alue=5",
    "prevexist=true",
    "value=%C3%A9",
    "value=\xc3\xa9",
    "?",
    "#",
  ],
  ...[
    "'<>\"",
    "value=1;ttl=5",
    "value=a%3Bb",
    "&&",
    "value=%e2%82%ac%",
    "+=1",
    "dir;",
    "x=%\xc3\xa9a",
    "x=%\xe2\x82\xac",
    "x=%a\xc3\xa9",
  ],
);

const one = fc.oneof(
  { weight: 24, arbitrary: parameter("value", anyValue) },
  { weight: 10, arbitrary: parameter("dir", flag) },
  { weight: 10, arbitrary: parameter("prevExist", flag) },
  { weight: 8, arbitrary: parameter("prevValue", value) },
  { weight: 8, arbitrary: parameter("prevIndex", index) },
  { weight: 8, arbitrary: parameter("recursive", flag) },
  { weight: 6, arbitrary: parameter("ttl", ttl) },
  { weight: 5, arbitrary: parameter("sorted", flag) },
  { weight: 4, arbitrary: parameter("noValueOnSuccess", flag) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(parameter("refresh", flag), parameter("ttl", ttl))
      .map((two) => two.join("&")),
  },
  { weight: 2, arbitrary: parameter("refresh", flag) },
  { weight: 3, arbitrary: parameter("quorum", flag) },
  { weight: 2, arbitrary: parameter("wait", flag) },
  { weight: 2, arbitrary: parameter("waitIndex", index) },
  { weight: 2, arbitrary: parameter("stream", flag) },
  { weight: 2, arbitrary: junk },
);

/** A query or form, well written or not. */
export const parameters: Arbitrary<string> = fc
  .array(one, { maxLength: 4 })
  .map((list) => list.join("&"));
