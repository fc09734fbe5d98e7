/** The code of the documentation that is no complete program: it has types, and its commands exist. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, CommanderError } from "commander";
import { beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { buildIfStale, root } from "../scripts/project.mjs";
import { withoutGoNotation } from "../src/cli/options/go-notation.js";
import { wholeProgram } from "../src/cli/program.js";
import { type Code, problemsOf } from "./support/typed-code.js";

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "deploy/README.md",
  "test/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** The blocks of code in one of these languages. */
function blocks(file: string, languages: string): readonly Code[] {
  const text = read(file);
  const found = text.matchAll(new RegExp(`^ *\`\`\`(${languages})\\n(.*?)^ *\`\`\``, "gms"));
  return [...found].map(({ index, 1: language = "", 2: code = "" }) => {
    return { place: place(file, text, index), language, text: code };
  });
}

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
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

/** Other forms of a command: in a unit of systemd, in a Dockerfile, and in the container that it builds. */
const OTHER_FORMS: readonly (readonly [RegExp, (words: string) => string])[] = [
  [/^ExecStart=\S+ \S+\/cli\/main\.js (.*)$/gm, (words) => `etcdnet ${words}`],
  [/^ENTRYPOINT \["etcdnet", (.*)\]$/gm, (words) => `etcdnet ${words.replaceAll(",", "")}`],
  [/^docker run .* etcdnet-gateway (.*)$/gm, (words) => `etcdnet gateway ${words}`],
];

/** Where a command begins: in a line, after a prompt or an operator of the shell, in an alias, after variables. */
const COMMAND = /(?:^\s*(?:\$ )?|&& |\| |; |\$\(|='|^\w+=\S+ )(?:npx )?etcdnet (?=(.*))/g;

/** The commands `etcdnet …` of a block, as arguments. */
function commandsIn(text: string): readonly (readonly string[])[] {
  const joined = text.replaceAll(/\\\n\s*/g, "");
  const plain = OTHER_FORMS.reduce(
    (all, [form, command]) => all.replaceAll(form, (_, words) => command(words)),
    joined,
  );
  const found = plain.split("\n").flatMap((line) => [...line.matchAll(COMMAND)]);
  return found.map(([, rest = ""]) => {
    const words = rest.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
    const end = words.findIndex((word) => /^(?:#|[|;&>]|\d?>)/.test(word));
    return words
      .slice(0, end < 0 ? undefined : end)
      .map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
  });
}

/** The commands in the sentences of a document. They may lack arguments: "`etcdnet diff` compares". */
function commandsInProse(text: string): readonly (readonly string[])[] {
  const codes = text.replaceAll(/^ *```.*?^ *```/gms, "").matchAll(/`((?:npx )?etcdnet [^`]+)`/g);
  const words = [...codes].map(([, code = ""]) => code.replaceAll(/\s+/g, " "));
  return words.filter((code) => !/ [A-Z]+ --help$/.test(code)).flatMap(commandsIn);
}

/** What commander says about a command that is only named. */
const INCOMPLETE = ["missingArgument", "optionMissingArgument", "missingMandatoryOptionValue"];

/** What the command line says about commands, without doing anything. */
async function refusalsOf(
  commands: readonly (readonly string[])[],
  mayBeIncomplete = false,
): Promise<readonly string[]> {
  const program = await wholeProgram();
  silence(program);
  const refusals: string[] = [];
  for (const args of commands) {
    try {
      await program.parseAsync(withoutGoNotation(args, program), { from: "user" });
    } catch (error) {
      const code = (error as CommanderError).code?.replace("commander.", "");
      const isFine = /^help/.test(code) || (mayBeIncomplete && INCOMPLETE.includes(code));
      if (!isFine) refusals.push(`etcdnet ${args.join(" ")}: ${error}`);
    }
  }
  return refusals;
}

function silence(command: Command): void {
  command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const each of command.commands) silence(each);
}

test("every command in a block of the documentation exists, with its options", async () => {
  const commands = documents.flatMap((file) => [
    ...blocks(file, "sh|ini|dockerfile").flatMap(({ text }) => commandsIn(text)),
    // Among what is printed, commands are after a prompt.
    ...blocks(file, "text|").flatMap(({ text }) =>
      (text.match(/^\$ .*$/gm) ?? []).flatMap((line) => commandsIn(line)),
    ),
  ]);
  expect(commands.length).toBeGreaterThan(80);
  expect(await refusalsOf(commands)).toEqual([]);
});

test("every command in a sentence of the documentation exists, with its options", async () => {
  const commands = documents.flatMap((file) => commandsInProse(read(file)));
  expect(commands.length).toBeGreaterThan(50);
  expect(await refusalsOf(commands, true)).toEqual([]);
});

test("a command or an option that does not exist is found", async () => {
  const block = `
etcdnet tree --values /a
npx etcdnet trees
KEY=/a etcdnet get --none /a # one
etcdnet get /a | etcdnet mk --nothing /b
alias move='etcdnet migrate --fro $OLD'
ExecStart=/usr/bin/node /usr/lib/node_modules/etcdnet/dist/cli/main.js gateway \\
  --ports 1
ENTRYPOINT ["etcdnet", "gateways"]`;
  const found = ["trees", "--none", "--nothing", "--fro", "--ports", "gateways"];
  expect(await refusalsOf(commandsIn(block))).toEqual(
    found.map((name) => expect.stringContaining(name)),
  );
  const prose =
    "`etcdnet diff` and `etcdnet cutover`, `etcdnet diffs`, `etcdnet gateway --sources`";
  expect(await refusalsOf(commandsInProse(prose), true)).toEqual([
    expect.stringContaining("diffs"),
    expect.stringContaining("--sources"),
  ]);
});

test("every script that a document names exists", () => {
  const { scripts } = JSON.parse(read("package.json"));
  const missing = documents.flatMap((file) => {
    const text = read(file);
    const names = [...text.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = ""]) => name);
    const files = [...text.matchAll(/\bnode ((?:scripts|examples|bench)\/[\w./-]+\.mjs)/g)];
    return [
      ...names.filter((name) => !(name in scripts)),
      ...files.map(([, path = ""]) => path).filter((path) => !existsSync(join(root, path))),
    ];
  });
  expect(missing).toEqual([]);
});

test("every block of JSON or YAML in the documentation can be parsed", () => {
  // JSON is YAML.
  const data = documents.flatMap((file) => blocks(file, "json|yaml"));
  const wrong = data.filter(({ text }) => parseAllDocuments(text).some(({ errors: [e] }) => e));
  expect(wrong).toEqual([]);
});
