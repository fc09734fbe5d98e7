/** The code of the documentation that is no complete program: it has types, and its commands exist. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { buildIfStale, root } from "../scripts/project.mjs";
import { withoutGoNotation } from "../src/cli/options/go-notation.js";
import { wholeProgram } from "../src/cli/program.js";
import { type Code, problemsOf } from "./support/typed-code.js";

const documents = [
  "README.md",
  "deploy/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** The blocks of code in one of these languages. */
function blocks(file: string, languages: string): readonly Code[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(new RegExp(`^\`\`\`(${languages})\\n(.*?)^\`\`\``, "gms"));
  return [...found].map(({ index, 1: language = "", 2: code = "" }) => {
    return { place: place(file, text, index), language, text: code };
  });
}

function place(file: string, text: string, index: number): string {
  return `${file}:${text.slice(0, index).split("\n").length}`;
}

/** The examples in the comments of the sources, which the API reference shows. */
function examples(): readonly Code[] {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  return files
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .flatMap((name) => {
      const file = `src/${name}`;
      const text = readFileSync(join(root, file), "utf8");
      return [...text.matchAll(/^ *\* @example\n((?: *\* (?!@).*\n| *\*\n)+)/gm)].map(
        ({ index, 1: lines = "" }) => ({
          place: place(file, text, index),
          language: "js",
          text: lines.replaceAll(/^ *\* ?/gm, "").replaceAll(/^```.*$/gm, ""),
        }),
      );
    });
}

beforeAll(buildIfStale);

test("every fragment of a program in the documentation has types", () => {
  const fragments = documents.flatMap((file) => blocks(file, "js|ts"));
  expect(fragments.length).toBeGreaterThan(20);
  expect(problemsOf([...fragments, ...examples()])).toEqual([]);
});

test("a fragment with a call that does not exist is found", () => {
  const fragment = (text: string): Code => ({ place: "here", language: "js", text });
  const wrong = ["await etcd.getNodes('/a');", "await etcd.setNode('/a', 'b', { TTL: 1 });"];
  const problems = problemsOf([fragment("await etcd.getNode('/a');"), ...wrong.map(fragment)]);
  expect(problems).toEqual([expect.stringContaining("getNodes"), expect.stringContaining("TTL")]);
});

/** The commands `etcdnet …` of a shell block, as arguments. */
function commandsIn(text: string): readonly (readonly string[])[] {
  const lines = text.replaceAll(/\\\n\s*/g, "").split("\n");
  return lines.flatMap((line) => {
    const [, rest] = /(?:^|&& |\| )(?:npx )?etcdnet (.*)$/.exec(line) ?? [];
    if (rest === undefined) return [];
    const words = rest.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
    const end = words.findIndex((word) => /^(?:#|[|;&>]|\d?>)/.test(word));
    return [
      words
        .slice(0, end < 0 ? undefined : end)
        .map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2")),
    ];
  });
}

/** What the command line says about its arguments, without doing anything. */
async function refusalOf(args: readonly string[]): Promise<string | undefined> {
  const program = await wholeProgram();
  silence(program);
  try {
    await program.parseAsync(withoutGoNotation(args, program), { from: "user" });
    return undefined;
  } catch (error) {
    return `etcdnet ${args.join(" ")}: ${error}`;
  }
}

function silence(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const each of command.commands) silence(each);
}

test("every command in the documentation exists, with its options", async () => {
  const commands = documents.flatMap((file) =>
    blocks(file, "sh").flatMap(({ text }) => commandsIn(text)),
  );
  expect(commands.length).toBeGreaterThan(50);
  const refusals = await Promise.all(commands.map(refusalOf));
  expect(refusals.filter((refusal) => refusal !== undefined)).toEqual([]);
});

test("a command or an option that does not exist is found", async () => {
  const commands = commandsIn(
    "etcdnet tree --values /a\nnpx etcdnet trees\netcdnet get --none /a # one",
  );
  const refusals = await Promise.all(commands.map(refusalOf));
  expect(refusals).toEqual([
    undefined,
    expect.stringContaining("trees"),
    expect.stringContaining("--none"),
  ]);
});

test("every block of JSON or YAML in the documentation can be parsed", () => {
  // JSON is YAML.
  const data = documents.flatMap((file) => blocks(file, "json|yaml"));
  const wrong = data.filter(({ text }) => parseAllDocuments(text).some(({ errors: [e] }) => e));
  expect(wrong).toEqual([]);
});
