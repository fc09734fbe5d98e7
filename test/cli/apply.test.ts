import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { applyChanges } from "../../src/cli/apply/apply-changes.js";
import { type Change, planOf } from "../../src/cli/apply/apply-plan.js";
import { readCurrent } from "../../src/cli/apply/current-nodes.js";
import { parseTree } from "../../src/cli/apply/parse-tree.js";
import { WantedTree } from "../../src/cli/apply/wanted-tree.js";
import { EtcdClient } from "../../src/index.js";
import type { Outcome, RunOptions } from "../foreign/run.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { etcdnet } from "./etcdnet.js";

beforeAll(buildIfStale);

for (const api of ["v2", "v3"] as const) {
  describeWithEtcd("3.5", `etcdnet on trees in files, on ${api}`, () => trees(api));
}

function trees(api: "v2" | "v3"): void {
  let etcd: EtcdCluster | undefined;
  let client: EtcdClient;
  let folder = "";
  let name = 0;
  /** A directory of its own for each test. */
  let top = "";
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.5", args: ["--unsafe-no-fsync"] });
    client = new EtcdClient({ urls: etcd.urls, api });
    folder = await mkdtemp(join(tmpdir(), "etcdnet-apply-"));
  });
  afterAll(async () => {
    await client?.close();
    await etcd?.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    top = `/t${++name}`;
  });
  const run = (args: readonly string[], options?: RunOptions): Promise<Outcome> =>
    etcdnet(["--api", api, "--endpoints", etcd?.urls[0] ?? "", ...args], options);
  const apply = (input: string, ...args: readonly string[]) =>
    run(["apply", "-f", "-", ...args], { input });
  const file = async (text: string | Buffer, path = "a.yaml"): Promise<string> => {
    await mkdir(join(folder, top), { recursive: true });
    await writeFile(join(folder, top, path), text);
    return join(folder, top, path);
  };

  it("get -r prints a tree that apply takes back unchanged, and restores", async () => {
    await client.setNode(`${top}/mail/host`, "smtp.example.org");
    await client.setNode(`${top}/mail/port`, "25");
    await client.setNode(`${top}/text`, 'line 1\n  "größer" \\ \u001b\u0085\n\n');
    await client.setNode(`${top}/cert`, "-----BEGIN-----\nMII\n-----END-----\n");
    await client.setNode(`${top}/empty`, null, { dir: true });
    await client.setNode(`${top}/: on #`, "");
    const { stdout: yaml, stderr } = await run(["get", "-r", "-o", "yaml", top]);
    expect(stderr).toBe("");
    expect(yaml).toBe(
      `${top}:
  ": on #": ""
  cert: |
    -----BEGIN-----
    MII
    -----END-----
  empty: {}
  mail:
    host: smtp.example.org
    port: "25"
  text: "line 1\\n  \\"größer\\" \\\\ \\u001b\\u0085\\n\\n"
`,
    );
    const { stdout: json } = await run(["get", "-r", "-o", "json", top]);
    expect(JSON.parse(json)).toMatchObject({ [top]: { mail: { port: "25" }, empty: {} } });
    const unchanged = "0 to create, 0 to change, 0 to remove, 6 unchanged\n0 written\n";
    for (const text of [yaml, json]) {
      const { stdout, stderr } = await apply(text, "--prune", top);
      expect([stdout, stderr]).toEqual(["", unchanged]);
    }
    await client.deleteNode(top, { recursive: true });
    expect((await apply(json)).stderr).toMatch(/^6 to create, .*\n6 written\n$/);
    expect((await run(["get", "-r", top])).stdout).toBe(yaml);
  });

  it("get -r prints a file with its key, and warns of TTLs", async () => {
    await client.setNode(`${top}/a`, "1", { ttl: 1000 });
    expect(await run(["get", "-r", `${top}/a`])).toEqual({
      code: 0,
      stdout: `${top}/a: "1"\n`,
      stderr: "warning: 1 keys have a TTL, which the output does not have\n",
    });
    const { stdout } = await run(["get", "-r", "-o", "jsonl", top]);
    const [directory = "", node = ""] = stdout.trim().split("\n");
    expect(JSON.parse(directory)).toMatchObject({ key: top, dir: true });
    expect(JSON.parse(node)).toMatchObject({ key: `${top}/a`, value: "1" });
  });

  it("apply shows the difference, writes it, and keeps TTLs", async () => {
    await client.setNode(`${top}/a`, "1", { ttl: 1000 });
    await client.setNode(`${top}/b`, "1");
    await client.setNode(`${top}/c`, "1");
    const wanted = `${top}:\n  a: "2"\n  b: "1"\n  new/x: nope\n`;
    expect((await apply(wanted)).stderr).toBe(
      `Error:  standard input:4: "new/x" in ${top} is no name: it has a slash; write a map for each directory\n`,
    );
    const right = `${top}: { a: "2", b: "1" }\n${top}/new/x: ""\n`;
    const shown = `+ ${top}/new/x = ""\n~ ${top}/a = "1" → "2"\n`.split("\n").sort();
    const counts = "1 to create, 1 to change, 0 to remove, 1 unchanged\n";
    const dry = await apply(right, "--dry-run");
    expect([dry.code, dry.stdout.split("\n").sort()]).toEqual([0, shown]);
    expect(dry.stderr).toBe(`${counts}nothing was written\n`);
    expect(await client.getNodeValue(`${top}/a`)).toBe("1");
    const real = await apply(right, top);
    expect([real.code, real.stdout, real.stderr]).toEqual([0, dry.stdout, `${counts}2 written\n`]);
    const { node } = await client.getNode(`${top}/a`);
    expect(node).toMatchObject({ value: "2" });
    expect(node.ttl).toBeGreaterThan(500);
    expect(await client.getNodeValue(`${top}/c`)).toBe("1");
    const json = await apply(`${top}/a: "3"`, "-o", "jsonl", "--dry-run");
    const record = { change: "change", key: `${top}/a`, value: "3", before: "2" };
    expect(JSON.parse(json.stdout)).toEqual(record);
  });

  it("--prune removes only below its key, and no hidden key", async () => {
    for (const key of [
      "in/a",
      "in/old/deep/x",
      "in/kept/_hidden",
      "in/_h/x",
      "in/was/file",
      "out/a",
    ]) {
      await client.setNode(`${top}/${key}`, "1");
    }
    const text = `${top}/in: { a: "1", was: now a file, _h: { y: "2" } }`;
    const refused = await apply(text);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(/:1: .*\/in\/was is a directory in the cluster/);
    expect((await apply(text, "--prune")).stderr).toMatch(/--prune needs KEY/);
    expect((await apply(text, "--prune", `${top}/out`)).stderr).toMatch(/is not below .*\/out;/);
    const { code, stdout, stderr } = await apply(text, "--prune", `${top}/in`);
    expect(stdout.split("\n")).toEqual(
      expect.arrayContaining([`- ${top}/in/old/`, `+ ${top}/in/was = "now a file"`]),
    );
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^Error: {2}conflict: \S+\/in\/kept changed .* \(Directory not empty\)$/m,
      ),
    ]);
    expect((await run(["ls", "-r", "--sort", top])).stdout).toBe(
      ["in", "in/a", "in/kept", "in/was", "out", "out/a"].map((key) => `${top}/${key}\n`).join(""),
    );
    expect((await run(["ls", "--sort", `${top}/in/_h`])).stdout).toBe(
      `${top}/in/_h/x\n${top}/in/_h/y\n`,
    );
    expect(await client.getNodeValue(`${top}/in/kept/_hidden`)).toBe("1");
  });

  it("reports changes since the read as conflicts, and overwrites none", async () => {
    for (const key of ["changed", "gone", "pruned", "same", "dir/x"]) {
      await client.setNode(`${top}/${key}`, "1");
    }
    const wanted = new WantedTree();
    parseTree("f", `${top}: { changed: "2", gone: "2", same: "2", new: "2", free: "2" }`, wanted);
    const plan = planOf(wanted, await readCurrent(client, wanted, top), top);
    await client.setNode(`${top}/changed`, "theirs");
    await client.setNode(`${top}/pruned`, "theirs");
    await client.setNode(`${top}/new`, "theirs");
    await client.setNode(`${top}/dir/y`, "theirs");
    await client.deleteNode(`${top}/gone`);
    const conflicts: string[] = [];
    const keyOf = (change: Change) =>
      change.kind === "remove" ? change.before.key : change.wanted.key;
    await applyChanges(client, plan, {
      onWritten: () => {},
      onConflict: (change) => conflicts.push(keyOf(change).slice(top.length + 1)),
      onFailure: () => expect.fail(),
    });
    expect(conflicts.sort()).toEqual(["changed", "dir", "gone", "new", "pruned"]);
    expect((await run(["get", "-r", top])).stdout).toBe(
      `${top}:\n  changed: theirs\n  dir:\n    "y": theirs\n  free: "2"\n  new: theirs\n  pruned: theirs\n  same: "2"\n`,
    );
  });

  it("reads a directory of files, and names both places of a key", async () => {
    const one = await file(`${top}: { a: "1" }\n---\n${top}/b: "1"\n`, "one.yaml");
    await file(`\ufeff{"${top}": {"c": "\\ud83d\\ude00",\n\t"d": "1"}}`, "two.json");
    await file("not read", "README.md");
    expect((await run(["apply", "-f", join(folder, top)])).stderr).toMatch(/\n4 written\n$/);
    expect(await client.getNodeValue(`${top}/c`)).toBe("😀");
    const again = await run(["apply", "-f", join(folder, top), "-f", one]);
    expect([again.code, again.stderr]).toEqual([
      1,
      `Error:  ${one}:1: ${top}/a is also at ${one}:1\n`,
    ]);
  });

  it("writes values of 1 MB, and names the key of one that etcd refuses", async () => {
    const large = await file(`${top}/large: "${"x".repeat(1_000_000)}"`);
    const { code, stdout, stderr } = await run(["apply", "-f", large]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/\n1 written\n$/)]);
    expect(stdout).toMatch(/^.{0,120}… \(1000000 bytes\)\n$/);
    if (api === "v2") return;
    const larger = await run(["apply", "-f", await file(`${top}/larger: "${"x".repeat(3e6)}"`)]);
    expect(larger.code).not.toBe(0);
    expect(larger.stderr).toMatch(
      /^Error: {2}\S+\/larger \(\S+\/a.yaml:1\): not written\n0 written\nError: {2}./m,
    );
  });
}

describe("apply refuses, and names file, line and key:", () => {
  const deep = `/deep: ${"[".repeat(20_000)}`;
  it.each([
    ["/a: 25", 'f:1: /a is a number; write "25" with quotes'],
    ["/a:\n  b: true", 'f:2: /a/b is a boolean; write "true" with quotes'],
    ["/a:\n  b:\n", 'f:2: /a/b has no value; write "" or, for an empty directory, {}'],
    ["/a: ~", "f:1: /a has no value"],
    ['{"/a": {"b": [1]}}', "f:1: /a/b is a list"],
    ["/a:\n  ..: x", 'f:2: ".." in /a is no name: etcd reads it as a path'],
    ["/a/../b: x", 'f:1: ".." in /a/../b is no name'],
    ["/a:\n  '': x", 'f:2: "" in /a is no name: it is empty'],
    ["'': x", "f:1: a key is empty"],
    ["/a//b: x", 'f:1: "" in /a//b is no name'],
    ["/a/: x", 'f:1: "" in /a/ is no name'],
    ["/: x", "f:1: / is a directory"],
    ["/a:\n  b: x\n  b: y", "f:3: /a/b is also at f:2"],
    ['{"/a": {"b": "x",\n"b": "y"}}', "f:2: /a/b is also at f:1"],
    ["/a: x\n/a/b: y", "f:2: /a is a directory, and has a value at f:1"],
    ["/a/b: y\n/a: x", "f:2: /a has a value, and is a directory at f:1"],
    ["/a: &x y\n/b: *x", "f:1: /a has an anchor (&x), which is not supported"],
    ["/b: *x", "f:1: /b is an alias (*x), which is not supported"],
    ["/a:\n  <<: {b: x}", "f:2: /a has a merge key (<<), which is not supported"],
    ["/a: !!binary aGk=", "f:1: /a has the tag tag:yaml.org,2002:binary"],
    ["/a: !x y", "f:1: Unresolved tag: !x"],
    ["? {a: b}\n: x", "f:1: the document has a name that is not a string"],
    ["- /a", "f:1: the document must be a map of keys"],
    ["/a: 'x", "f:1: Missing closing 'quote"],
    ['/a: "\\ud83d"', "f:1: /a: the value is not valid Unicode"],
    [deep, "f: is nested too deeply"],
  ])("%s", (text, message) => {
    expect(() => parseTree("f", text, new WantedTree())).toThrow(message);
  });

  it("a bomb of aliases, at once", () => {
    const levels = Array.from(
      { length: 30 },
      (_, at) => `/l${at + 1}: &l${at + 1} {a: *l${at}, b: *l${at}}`,
    );
    const text = ["/l0: &l0 {a: x}", ...levels].join("\n");
    expect(() => parseTree("f", text, new WantedTree())).toThrow("f:1: /l0 has an anchor (&l0)");
  });

  it("a file that is not UTF-8, one that is missing, and one without keys", async () => {
    const folder = await mkdtemp(join(tmpdir(), "etcdnet-apply-"));
    const run = (...args: readonly string[]) => etcdnet(["apply", ...args]);
    try {
      const latin = join(folder, "latin.yaml");
      await writeFile(latin, Buffer.from("/a: gr\xf6\xdfer", "latin1"));
      expect((await run("-f", latin)).stderr).toBe(`Error:  ${latin}: is not UTF-8\n`);
      await writeFile(latin, "# nothing\n");
      expect((await run("-f", latin)).stderr).toMatch(/latin.yaml: no keys; nothing was written/);
      const missing = await run("-f", join(folder, "missing"));
      expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/missing/)]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
