/** Changes JSON at random places to values that etcd never sends. */

import type { Random } from "./random.js";

/** Texts of JSON values. `JSON.stringify` cannot write all of them. */
const ODD_VALUES = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "1.5",
  "1e999",
  "-1e999",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740993",
  '"0"',
  '"-1"',
  '"NaN"',
  '"9007199254740991"',
  '"9223372036854775807"',
  '"-9223372036854775808"',
  '"18446744073709551616"',
  '"1e3"',
  '""',
  '"/"',
  '"/d/../a"',
  '"//"',
  '"no-slash"',
  '"/\\u0000"',
  '"\\ud800"',
  '"a\\r\\nb: c"',
  '"0000-00-00T00:00:00Z"',
  '"get"',
  '"expire"',
  '"AAAA"',
  '"%%%"',
  '"http://127.0.0.1:1"',
  '"not a url"',
  "[]",
  "[null]",
  '["x"]',
  "{}",
  '{"toString":1}',
  '{"__proto__":{"polluted":1}}',
] as const;

const LARGE_VALUES = [
  `"${"x".repeat(100_000)}"`,
  "[".repeat(20_000) + "]".repeat(20_000),
  '{"nodes":['.repeat(3_000) + "]}".repeat(3_000),
  `[${"{},".repeat(5_000)}{}]`,
] as const;

type Tree = Record<string, unknown> | unknown[];

/** The text with up to three changes; a text that is not JSON remains as it is. */
export function jsonLie(random: Random, text: string): string {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return text;
  }
  const odd: string[] = [];
  const holder = { root };
  for (let count = random.integer(1, 3); count > 0; count--) change(random, holder, odd);
  return JSON.stringify(holder.root ?? null).replace(
    /"\0(\d+)"|"\\u0000(\d+)"/g,
    (_, a, b) => odd[Number(a ?? b)] ?? "null",
  );
}

function change(random: Random, holder: { root: unknown }, odd: string[]): void {
  const [parent, name] = randomPlace(random, holder);
  const values = parent as Record<string, unknown>;
  const placeholder = () => {
    const text = random.chance(0.05) ? random.pick(...LARGE_VALUES) : random.pick(...ODD_VALUES);
    return `\0${odd.push(text) - 1}`;
  };
  switch (random.integer(0, 5)) {
    case 0:
      delete values[name];
      break;
    case 1:
      if (Array.isArray(parent)) parent.push(...Array(random.pick(1, 50)).fill(values[name]));
      else values[`${name}x`] = values[name];
      break;
    case 2: {
      const [other, otherName] = randomPlace(random, holder);
      values[name] = structuredClone((other as Record<string, unknown>)[otherName]);
      break;
    }
    default:
      values[name] = placeholder();
  }
}

/** A random property of a random object or list. */
function randomPlace(random: Random, holder: { root: unknown }): [Tree, string] {
  const places: [Tree, string][] = [];
  const pending: Tree[] = [holder];
  for (let tree = pending.pop(); tree !== undefined && places.length < 500; tree = pending.pop()) {
    for (const [name, value] of Object.entries(tree)) {
      places.push([tree, name]);
      if (typeof value === "object" && value !== null) pending.push(value as Tree);
    }
  }
  return random.pick([holder, "root"], ...places);
}
