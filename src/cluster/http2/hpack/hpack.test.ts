import { expect, test } from "vitest";
import { randomFrom } from "../../../../test/support/random-from.js";
import { SEED } from "../../../../test/support/seed.js";
import type { Field } from "./field.js";
import { HpackDecoder } from "./hpack-decoder.js";
import { HpackEncoder } from "./hpack-encoder.js";
import { HpackError } from "./hpack-error.js";

const LIST_BYTES = 65_536;
const decoder = (): HpackDecoder => new HpackDecoder(LIST_BYTES);
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const lines = (fields: readonly Field[]): string[] =>
  fields.map(({ name, value }) => `${name}: ${value}`);

const REQUEST = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];
const SECURE = [
  ":method: GET",
  ":scheme: https",
  ":path: /index.html",
  ":authority: www.example.com",
];
const DATE = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const LATER = "date: Mon, 21 Oct 2013 20:13:22 GMT";
const LOCATION = "location: https://www.example.com";
const COOKIE = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const RESPONSES = [
  [":status: 302", "cache-control: private", DATE, LOCATION],
  [":status: 307", "cache-control: private", DATE, LOCATION],
  [":status: 200", "cache-control: private", LATER, LOCATION, "content-encoding: gzip", COOKIE],
];

/** RFC 7541, appendix C. The table of C.5 and C.6 has 256 bytes, which `3fe101` announces. */
test.each([
  [
    "C.2.1",
    [
      [
        "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
        ["custom-key: custom-header"],
      ],
    ],
  ],
  ["C.2.2", [["040c 2f73 616d 706c 652f 7061 7468", [":path: /sample/path"]]]],
  ["C.2.3", [["1008 7061 7373 776f 7264 0673 6563 7265 74", ["password: secret"]]]],
  ["C.2.4", [["82", [":method: GET"]]]],
  [
    "C.3",
    [
      ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", REQUEST],
      ["8286 84be 5808 6e6f 2d63 6163 6865", [...REQUEST, "cache-control: no-cache"]],
      [
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
        [...SECURE, "custom-key: custom-value"],
      ],
    ],
  ],
  [
    "C.4",
    [
      ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", REQUEST],
      ["8286 84be 5886 a8eb 1064 9cbf", [...REQUEST, "cache-control: no-cache"]],
      [
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
        [...SECURE, "custom-key: custom-value"],
      ],
    ],
  ],
  [
    "C.5",
    [
      [
        "3fe101 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        RESPONSES[0] ?? [],
      ],
      ["4803 3330 37c1 c0bf", RESPONSES[1] ?? []],
      [
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
        RESPONSES[2] ?? [],
      ],
    ],
  ],
  [
    "C.6",
    [
      [
        "3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        RESPONSES[0] ?? [],
      ],
      ["4883 640e ffc1 c0bf", RESPONSES[1] ?? []],
      [
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        RESPONSES[2] ?? [],
      ],
    ],
  ],
] as const)("decodes the example %s of RFC 7541", (_name, blocks) => {
  const decoded = decoder();
  for (const [block, fields] of blocks) expect(lines(decoded.decode(bytes(block)))).toEqual(fields);
});

const LONG = "61".repeat(4_000);
test.each([
  ["an index of nothing", "80", "unknown index"],
  ["an index after the tables", "be", "unknown index"],
  ["a name with an index after the tables", "7e 00", "unknown index"],
  [
    "an index that is too large for an integer",
    "ff ff ff ff ff ff ff ff ff ff 7f",
    "a number is too large",
  ],
  ["an integer with endless zeros", "ff 80 80 80 80 80 80 80 80 00", "a number is too large"],
  ["an integer that is cut off", "ff 80", "cut off"],
  ["a literal without its name", "00", "cut off"],
  ["a literal without its value", "00 01 61", "cut off"],
  ["a name that is cut off", "00 02 61", "cut off"],
  ["a value that is cut off", "00 01 61 7f 80 80 01", "cut off"],
  ["a table that is too large", "3f e2 1f", "the table is too large"],
  ["a table size after a field", "88 20", "changes within a header block"],
  ["a Huffman code with EOS", `00 01 61 84 ${"ff".repeat(4)}`, "contains EOS"],
  ["a Huffman code with eight bits of padding", "00 01 61 82 1f ff", "padding"],
  ["a Huffman code with zeros as padding", "00 01 61 81 18", "padding"],
  ["a header list that is too long", `40 01 61 7f a1 1e ${LONG} ${"be".repeat(20)}`, "too long"],
])("refuses %s", (_name, block, problem) => {
  const decode = (): Field[] => decoder().decode(bytes(block));
  expect(decode).toThrow(HpackError);
  expect(decode).toThrow(problem);
});

/** The codes of all bytes in their order, as golang.org/x/net/http2/hpack writes them. */
const ALL_CODES = Buffer.from(
  "/8f//Y///+L///4////k///+X///5v///n///+j//+r////z///6f///q////9///+v///7P///t///+7///7////w" +
    "////H///8v////v///z////T///9f///2////f///+P///5////r///+1P4/n/r/yr8f6/r+/n/f0suwAImWm3HXn7" +
    "n3//IP+/8/9Q3b1/BhxY8mXNn0adWvZt3b+HHl+c/3/3//w/+f/kX/9HGSQss05unWimo9faxCbe/jz69//7/n/7/9" +
    "////z//m//9L//n//6P//T//9T//1f//s//+t//9r//7f//3P//u///e///r//+////Z///b//6///4P//7v//w///" +
    "i///H//+T//uf/+x//+X//2f//zf//n///v//9r//u//9P//t//+5//+j//9P//e///V//7v//vf//4f/9///3///1" +
    "///s//8H//h//+D//xf//t//+H//93//7//+r//4v//j//+T//+H//y///N///H///g///4f/+v//j//8///8v//o/" +
    "//2f//8X///H///yf//97///v///8v//+P//+3//l//4///+b///wf//+H///n///8X//+X//k//8v///R///0////" +
    "7///4////J///5f/+z///P//t//83//0//+f//0f//z//+r//6///93//+////T///X///q///p///1///+b///s//" +
    "/7f///P///6P///T///6v///X////3///s///9v///u///9////w///7vw==",
  "base64",
);

test("decodes the Huffman code of every byte", () => {
  const field = Buffer.concat([bytes("00 01 61 ff c8 03"), ALL_CODES]);
  const [{ value } = { value: "" }] = decoder().decode(field);
  expect([...Buffer.from(value, "latin1").keys()]).toEqual([...Buffer.from(value, "latin1")]);
  expect(value.length).toBe(256);
});

test("a table holds what fits, and loses the oldest first", () => {
  const decoded = decoder();
  const entry = (name: string): string => `40 01 ${Buffer.from(name).toString("hex")} 01 78`;
  // Two fields of 34 bytes fit into 68 bytes, not into 67.
  decoded.decode(bytes(`3f 25 ${entry("a")} ${entry("b")}`));
  expect(lines(decoded.decode(bytes("bf be")))).toEqual(["a: x", "b: x"]);
  expect(() => decoded.decode(bytes("c0"))).toThrow("unknown index");
  // A smaller table keeps the newest. Sizes can change several times at the start.
  expect(lines(decoded.decode(bytes("3f 24 3f 25 be")))).toEqual(["b: x"]);
  expect(() => decoded.decode(bytes("bf"))).toThrow("unknown index");
  // A field larger than the table empties it, and is a field nevertheless.
  const large = `40 01 63 7f 81 00 ${"78".repeat(128)}`;
  expect(lines(decoded.decode(bytes(large)))).toEqual([`c: ${"x".repeat(128)}`]);
  expect(() => decoded.decode(bytes("be"))).toThrow("unknown index");
  // A name of the table stays known while its field is evicted.
  decoded.decode(bytes(`20 3f 03 ${entry("d")}`));
  expect(lines(decoded.decode(bytes("7e 01 79 be")))).toEqual(["d: y", "d: y"]);
});

test("only fields of most requests get into the server's table, and secrets into none", () => {
  const encoder = new HpackEncoder();
  const encode = (): string => {
    encoder.add(":method", "POST", "indexed");
    encoder.add("te", "trailers", "indexed");
    encoder.add(":path", "/key", "literal");
    encoder.add("authorization", "x", "secret");
    return encoder.take().toString("hex");
  };
  const te = Buffer.from("trailers").toString("hex");
  const path = `0404${Buffer.from("/key").toString("hex")}`;
  expect(encode()).toBe(`834002746508${te}${path}1f080178`);
  expect(encode()).toBe(`83be${path}1f080178`);
  // No news.
  encoder.resize(65_536);
  expect(encode()).toBe(`83be${path}1f080178`);
  encoder.resize(50);
  encoder.resize(70);
  // The server's table is empty after its size was nothing. Then it holds one of them.
  expect(encode()).toBe(`203f27834002746508${te}${path}1f080178`);
  encoder.resize(0);
  expect(encode()).toBe(`2020830002746508${te}${path}1f080178`);
});

test("the decoder reads what the encoder writes, with any sizes of the table", () => {
  const random = randomFrom(SEED);
  const below = (limit: number): number => Math.floor(random() * limit);
  const [encoder, decoded] = [new HpackEncoder(), decoder()];
  for (let block = 0; block < 500; block++) {
    if (block % 7 === 0) encoder.resize([0, 33, 100, 500, 4_096, 65_536][below(6)] ?? 0);
    const fields = Array.from({ length: below(8) }, () => {
      const value = "v".repeat([0, 1, 126, 127, 128, 255, 300][below(7)] ?? 0);
      return { name: ["te", "x-a", ":path", "cookie"][below(4)] ?? "", value };
    });
    for (const { name, value } of fields) {
      encoder.add(name, value, (["indexed", "literal", "secret"] as const)[below(3)] ?? "literal");
    }
    expect(decoded.decode(encoder.take())).toEqual(fields);
  }
});

test("random bytes are fields or an error", () => {
  const random = randomFrom(SEED);
  let errors = 0;
  for (let block = 0; block < 3_000; block++) {
    const length = Math.floor(random() * 40);
    const noise = Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
    try {
      decoder().decode(noise);
    } catch (error) {
      expect(error).toBeInstanceOf(HpackError);
      errors++;
    }
  }
  expect(errors).toBeGreaterThan(1_000);
});
