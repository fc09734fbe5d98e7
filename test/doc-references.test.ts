/** Documents refer to files, headings and identifiers that exist. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { fragmentOf } from "../docs/.vitepress/fragment.js";
import { root } from "../scripts/project.mjs";

const DOCUMENTS = ["docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md"];
/** In backticks: a class, or a function with at least two words. */
const IDENTIFIER = /`([A-Z][a-z]\w*|[a-z]+[A-Z]\w*)(?:\.(\w+))?(?:\([^`]*\))?`/g;
/** In backticks: a file of the repository. */
const FILE = /`((?:src|test|scripts|docs)\/[\w/.-]+\.\w+)`/g;
/** In the glossary: a file below `src/` in the last column. */
const GLOSSARY_FILE = /\| `(?!src\/|test\/)([\w/.-]+\.ts)` \|$/gm;

const sources = ["src", "scripts", "test", "console"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(folder, name),
    ),
  )
  .filter((file) => /\.(ts|mjs)$/.test(file))
  .map((file) => readFileSync(join(root, file), "utf8"))
  .join("\n");
const words = new Set(sources.match(/\w+/g));

/** The references of a document that lead nowhere. */
function deadReferencesIn(text: string): readonly string[] {
  const identifiers = [...text.matchAll(IDENTIFIER)].flatMap((found) => found.slice(1));
  const files = [
    ...[...text.matchAll(FILE)].map(([, file = ""]) => file),
    ...[...text.matchAll(GLOSSARY_FILE)].map(([, file = ""]) => `src/${file}`),
  ];
  return [
    ...identifiers.filter((name) => name !== undefined && !words.has(name)),
    ...files.filter((file) => !existsSync(join(root, file))),
  ];
}

test.each(DOCUMENTS)("%s refers to files and identifiers that exist", (document) => {
  expect(deadReferencesIn(readFileSync(join(root, document), "utf8"))).toEqual([]);
});

test("a reference that leads nowhere is found", () => {
  // The names are put together here: every word of this file counts as an identifier.
  const none = (name: string): string => ["no", "such", name].join("_");
  const names = ["a", "b", "c"].map((name) => `${name}A${none(name)}`);
  const [first, second, third] = names;
  const file = `test/${none("g")}.test.ts`;
  const text = `\`${first}\` \`EtcdClient.${second}\` \`${third}()\` \`${file}\`
| d | e | \`${none("f")}.ts\` |`;
  expect(deadReferencesIn(text)).toEqual([...names, file, `src/${none("f")}.ts`]);
});

/** Every document of the repository for people. */
const documents = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "deploy/README.md",
  "test/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** The links of a document that lead to no file or to no heading. */
function deadLinksIn(document: string, text: string): readonly string[] {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [file = "", fragment] = link.split("#");
    const path = file === "" ? document : join(dirname(document), file);
    if (!existsSync(join(root, path))) return true;
    return (
      fragment !== undefined && !fragmentsOf(path === document ? text : read(path)).has(fragment)
    );
  });
}

/** The fragments that GitHub and the site give to the headings of a document. */
function fragmentsOf(text: string): ReadonlySet<string> {
  const headings = [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    fragmentOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")),
  );
  return new Set(headings);
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, "");
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

test.each(documents)("every link of %s leads somewhere", (document) => {
  expect(deadLinksIn(document, read(document))).toEqual([]);
});

test("a link that leads nowhere is found", () => {
  const text =
    "# A b, `c`\n[1](#a-b-c) [2](#d) [3](watching.md#items) [4](watching.md#none) [5](none.md)";
  expect(deadLinksIn("docs/v3.md", text)).toEqual(["#d", "watching.md#none", "none.md"]);
});

const pictures = readdirSync(join(root, "docs/pictures"));

test.each(pictures)(
  "docs/pictures/%s has a title, a background and colours for both schemes",
  (name) => {
    const picture = read(`docs/pictures/${name}`);
    expect(picture).toMatch(/<title id="title">.+<\/title>/);
    expect(picture).toContain('class="page"');
    expect(picture).toContain("prefers-color-scheme: dark");
    // Nothing is loaded from elsewhere.
    expect(picture).not.toMatch(/(?:href|src|url)\W+https?:|@import/);
  },
);

/**
 * What does not work in a README on npmjs.com. The site resolves relative links by `repository` of package.json: a link
 * to `github.com/…/blob/HEAD/` (GitHub redirects a folder to `tree`), a picture to `raw.githubusercontent.com/…/HEAD/`.
 * It does so from the root of the repository, only if `repository` has a URL, and not reliably for `<img>`. So each
 * path must be in git, below the root, with the same case, and pictures are in Markdown.
 */
function deadOnRegistryIn(text: string, inGit: ReadonlySet<string>): readonly string[] {
  const prose = withoutCode(text);
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  const dead = links.filter((link) => {
    const [path = ""] = link.split("#");
    return path !== "" && !/^https:/.test(link) && !inGit.has(path);
  });
  return [...dead, ...(prose.match(/<(?:img|picture|a) [^>]*>/g) ?? [])];
}

/** The files and folders that git has. */
function pathsInGit(): ReadonlySet<string> {
  const { stdout } = spawnSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" });
  const files = stdout.split("\0").filter((file) => file !== "");
  return new Set([...files, ...files.map((file) => dirname(file))]);
}

test("every link and picture of README.md works on npmjs.com", () => {
  const { repository } = JSON.parse(read("package.json"));
  expect(repository).toEqual({
    type: "git",
    url: expect.stringMatching(/^git\+https:\/\/github\.com\/[\w-]+\/[\w-]+\.git$/),
  });
  expect(deadOnRegistryIn(read("README.md"), pathsInGit())).toEqual([]);
});

test("a link that does not work on npmjs.com is found", () => {
  const text =
    "[1](docs/v3.md#a) [2](#b) [3](https://a.b) ![4](docs/Pictures/parts.svg) [5](../a) [6](/docs/v3.md) [7](examples) <img src=x>";
  expect(deadOnRegistryIn(text, pathsInGit())).toEqual([
    "docs/Pictures/parts.svg",
    "../a",
    "/docs/v3.md",
    "<img src=x>",
  ]);
});
