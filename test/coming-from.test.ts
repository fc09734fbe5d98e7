/** The tables of the pages for users of other clients: our calls compile, and theirs exist. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { buildIfStale, root } from "../scripts/project.mjs";
import { startEmbeddedEtcd } from "../src/server/index.js";
import { itWith } from "./foreign/missing.js";
import { findNodeEtcd } from "./foreign/node-etcd.js";
import { installPythonEtcd } from "./foreign/python-etcd.js";
import { run } from "./foreign/run.js";
import { problemsOf } from "./support/typed-code.js";

const PAGES = ["from-node-etcd.md", "from-etcd3.md", "from-python-etcd.md"];

interface Row {
  readonly place: string;
  readonly theirs: readonly string[];
  readonly ours: readonly string[];
}

/** The rows of all tables of a page. */
function rowsOf(page: string): readonly Row[] {
  const lines = readFileSync(join(root, "docs", page), "utf8").split("\n");
  return lines.flatMap((line, number) => {
    if (!line.startsWith("| ") || lines[number + 1]?.startsWith("|---")) return [];
    const [, theirs = "", ours = ""] = line.split("|");
    return [{ place: `docs/${page}:${number + 1}`, theirs: codesOf(theirs), ours: codesOf(ours) }];
  });
}

function codesOf(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

beforeAll(buildIfStale);

test("our calls on the pages for users of other clients compile", () => {
  // One run of the compiler for all pages.
  const codes = PAGES.flatMap((page) => {
    const rows = rowsOf(page);
    expect(rows.length).toBeGreaterThan(20);
    return rows.flatMap(({ place, ours }) =>
      ours.map((code) => ({ place, language: "ts", text: `void (${code});` })),
    );
  });
  expect(problemsOf(codes)).toEqual([]);
});

itWith(findNodeEtcd(), "the calls of docs/from-node-etcd.md exist there", async (found) => {
  const calls = rowsOf("from-node-etcd.md").flatMap(({ theirs }) =>
    theirs.flatMap((code) => /^([a-zA-Z]+)\(/.exec(code)?.[1] ?? []),
  );
  expect(calls.length).toBeGreaterThan(20);
  expect(calls.filter((name) => !(name in found.NodeEtcd.prototype))).toEqual([]);
});

itWith(installPythonEtcd(), "the names of docs/from-python-etcd.md exist there", async (found) => {
  const package_ = join(found, "etcd");
  const files = readdirSync(package_).filter((name) => name.endsWith(".py"));
  const source = files.map((name) => readFileSync(join(package_, name), "utf8")).join("\n");
  const defined = new Set(
    [...source.matchAll(/(?:def|class|self\.)\s*(\w+)/g)].map(([, name]) => name),
  );
  const names = rowsOf("from-python-etcd.md").flatMap(({ theirs }) =>
    theirs.flatMap((code) => /^(?:client\.|lock\.|etcd\.)?(\w+)/.exec(code)?.[1] ?? []),
  );
  const known = names.filter((name) => !["key", "result", "cert"].includes(name));
  expect(known.filter((name) => !defined.has(name) && !source.includes(`${name}=`))).toEqual([]);
});

itWith(installPythonEtcd(), "the program of docs/from-python-etcd.md runs there", async (found) => {
  const page = readFileSync(join(root, "docs/from-python-etcd.md"), "utf8");
  const [, program = ""] = /^```python\n(.*?)^```/ms.exec(page) ?? [];
  const [, printed = "nothing"] = /^```text\n(.*?)^```/ms.exec(page) ?? [];
  await using etcd = await startEmbeddedEtcd();
  const code = `import etcd\n${program.replace("2379", new URL(etcd.url).port)}`;
  const { stdout } = await run("python3", ["-W", "ignore", "-c", code], {
    env: { ...process.env, PYTHONPATH: found, PYTHONDONTWRITEBYTECODE: "1" },
  });
  expect(stdout).toBe(printed);
});
