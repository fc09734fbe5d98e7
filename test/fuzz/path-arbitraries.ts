import fc from "fast-check";
import { weighted } from "./weighted.js";

/** Few ordinary names, so that sequences collide with themselves, and some odd ones. */
const ordinary = weighted({ a: 20, b: 12, ab: 4, _h: 6, c: 2, "{n+2}": 1 });
const odd = fc.constantFrom(
  ...["%61", "a%2Fb", "%2Fa", ".", "..", "", "%2e", "%2e%2e", "%2F", "a%2F", "%2Fa%2F%2F", "..a"],
  ...[".a", "a..", "%20", "+", "%2B", "a b".replace(" ", "%20"), "%00", "%0A", "%22", "%5C", '"'],
  ...["a;b", "*", "%3F", "%23", "#", "%25", "%2561", "'", "~", "$&,:;=@!()[]{}|^`\\", "<x>&"],
  ...["%3Cx%3E", "%E2%82%AC", "\xe2\x82\xac", "%F0%9F%98%80", "%EF%BF%BD", "%E2%80%A8", "%7f"],
  ...["%1b", "%08", "%ef%bb%bf", "_", "__", "%5fh", "0", "9", "10", "A", "{n}", "{n+1}", "{n+2}"],
);
const name = fc.oneof({ weight: 12, arbitrary: ordinary }, { weight: 1, arbitrary: odd });

/** The path of a key, below the directory of the sequence. */
export const keyPath = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: fc.tuple(name) },
      { weight: 7, arbitrary: fc.tuple(name, name) },
      { weight: 3, arbitrary: fc.array(name, { maxLength: 5 }) },
    ),
    weighted({ "": 12, "/": 1 }),
  )
  .map(([names, end]) => `{d}${names.map((each) => `/${each}`).join("")}${end}`);

/** Other ways of writing, or missing, the path of the key space. */
const base = weighted({
  "/v2/keys": 300,
  "//v2/keys": 1,
  "/v2/./keys": 1,
  "/v2%2Fkeys": 1,
  "/%76%32/keys": 1,
  "/V2/keys": 1,
  "/v2/keysx": 1,
  "/v2": 1,
  "/nowhere": 1,
  "/v2/keys/..": 1,
  "http://elsewhere:1/v2/keys": 1,
  "/v2/keys%zz": 1,
  "/v2/keys%": 1,
});

/** The path of a target; mostly that of a key. */
export const anyPath = fc
  .tuple(
    base,
    fc.oneof(
      { weight: 40, arbitrary: keyPath },
      { weight: 1, arbitrary: weighted({ "": 1, "/": 1 }) },
    ),
  )
  .map(([prefix, rest]) => `${prefix}${rest}`);
