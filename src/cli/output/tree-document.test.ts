import fc from "fast-check";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { SEED } from "../../../test/support/seed.js";
import type { EtcdNode } from "../../model/node.js";
import { treeJson, treeYaml } from "./tree-document.js";
import { yamlLines } from "./yaml-text.js";

const INDEXES = { createdIndex: 1, modifiedIndex: 1 };

/** Texts that YAML could read as something else, and random ones. */
const text = fc
  .oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("a", " ", "\n", "\t", "#", ":", "-", "'", '"', "\r", "|") }),
    fc.constantFrom("", "25", "true", "Null", "on", "~", "<<", "=", "0x1f", "1e3", "2001-01-01"),
    fc.constantFrom(
      "a: b",
      "a #b",
      "- a",
      "&a",
      "*a",
      "!a",
      "{}",
      "[]",
      "a:",
      "?",
      "\u0085",
      "\u2028",
    ),
    fc.constantFrom(
      "a\nb",
      "a\n",
      "a\n\n",
      "\na",
      " a\nb",
      "a\n b\n\n\nc ",
      "---\na",
      "a\n---",
      "a\n...",
    ),
  )
  .filter((each) => each.isWellFormed());

const file = (name: string, value: string): EtcdNode => ({ key: `/d/${name}`, value, ...INDEXES });

it("YAML and JSON of a tree parse to the same values", () => {
  fc.assert(
    fc.property(fc.uniqueArray(text), text, (values, name) => {
      const nodes = values.map((value, at) => file(`${at}${name}`.replaceAll("/", ""), value));
      const top: EtcdNode = { key: "/d", dir: true, nodes, ...INDEXES };
      const content = new Map(nodes.map(({ key, value }) => [key.slice(3), value ?? ""]));
      const expected = new Map([["/d", nodes.length === 0 ? new Map() : content]]);
      for (const lines of [treeYaml(top), treeJson(top)]) {
        expect(parse([...lines].join("\n"), { mapAsMap: true, strict: false })).toEqual(expected);
      }
    }),
    { seed: SEED },
  );
});

it("a record in YAML parses to the same data", () => {
  fc.assert(
    fc.property(
      fc.dictionary(text, fc.oneof(text, fc.array(text), fc.nat(), fc.boolean())),
      (data) => {
        const record = [{ ...data, nested: { ...data } }, {}];
        expect(parse(yamlLines(record).join("\n"), { strict: false })).toEqual(record);
      },
    ),
    { seed: SEED },
  );
});

it("a tree may be deeper than the stack", () => {
  let top: EtcdNode = { key: "/leaf", value: "1", ...INDEXES };
  for (let depth = 0; depth < 4_000; depth++) {
    top = { key: "/d", dir: true, nodes: [top], ...INDEXES };
  }
  let count = 0;
  for (const line of treeJson(top)) count += line.trim().length > 0 ? 1 : 0;
  expect(count).toBe(2 + 2 * 4_000 + 1);
});

it("nothing controls the terminal", () => {
  const hostile = "\u001b[2J\u009b2J\u007f";
  const top: EtcdNode = { key: `/${hostile}`, dir: true, nodes: [file("a", hostile)], ...INDEXES };
  const printed = [...treeYaml(top), ...treeJson(top)].join("");
  expect(printed).not.toMatch(/\p{Cc}/u);
});
