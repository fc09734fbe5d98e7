import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient as Client, type EtcdClient } from "../../src/index.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { etcdnet } from "./etcdnet.js";
import { cliSession } from "./session.js";

const cli = cliSession();
let directory = "";
let file = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "etcdnet-export-"));
  file = join(directory, "app.jsonl");
  await fill(cli.etcd);
  await cli.print("export", "/app", "--hidden", "/app/_locks", "--file", file);
});

afterAll(() => rm(directory, { recursive: true }));

async function fill(etcd: EtcdClient): Promise<void> {
  await etcd.setNode("/app/a", "1");
  await etcd.setNode("/app/deep/er/key", "line\u2028s\nand \r\n more €");
  await etcd.setNode("/app/empty", null, { dir: true });
  await etcd.setNode("/app/leased", "for a while", { ttl: 5000 });
  await etcd.createNode("/app/session", null, { dir: true, ttl: 5000 });
  await etcd.setNode("/app/session/x", "");
  await etcd.setNode("/app/_locks/l", "held");
  await etcd.setNode("/app/_other", "left behind");
  await etcd.setNode("/elsewhere", "left behind");
}

const IMPORTED = `/app/
├── a = "1"
├── deep/
│   └── er/
│       └── key = "line\u2028s\\nand \\r\\n more €"
├── empty/
├── leased = "for a while" (N s)
└── session/ (N s)
    └── x = ""
`;

async function expectImported(url: string): Promise<void> {
  const tree = await etcdnet(["--endpoints", url, "tree", "--values", "/app"]);
  expect(tree.stdout.replace(/\((?:5000|49\d\d) s\)/g, "(N s)")).toBe(IMPORTED);
  const hidden = await etcdnet(["--endpoints", url, "ls", "-r", "/app/_locks"]);
  expect(hidden.stdout).toBe("/app/_locks/l\n");
  const others = await etcdnet(["--endpoints", url, "get", "/app/_other"]);
  expect(others.code).toBe(4);
}

describe("etcdnet export", () => {
  it("writes a header, each node after its parent, and a checksum", async () => {
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    const [header, ...entries] = lines.map((line) => JSON.parse(line));
    const footer = entries.pop();
    expect(header).toEqual({
      format: "etcdnet export",
      version: 1,
      clusterId: cli.etcd.clusterId,
      index: expect.any(Number),
      keys: ["/app", "/app/_locks"],
    });
    expect(entries.map(({ key }) => key)).toEqual([
      ...["/app", "/app/a", "/app/deep", "/app/empty", "/app/leased", "/app/session"],
      ...["/app/deep/er", "/app/deep/er/key", "/app/session/x", "/app/_locks", "/app/_locks/l"],
    ]);
    expect(footer).toEqual({ entries: 11, sha256: expect.stringMatching(/^[\da-f]{64}$/) });
  });

  it("creates a file that only its owner can read", async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("writes the same to standard output", async () => {
    const piped = await cli.print("export", "/app", "--hidden", "/app/_locks");
    const withoutTimes = (text: string) => text.replace(/"ttl":\d+/g, "").replace(/.*\n$/, "");
    expect(withoutTimes(piped)).toBe(withoutTimes(await readFile(file, "utf8")));
  });

  it("names a missing key", async () => {
    const { code, stdout, stderr } = await cli.run(["export", "/app", "--hidden", "/app/_none"]);
    expect(code).toBe(4);
    expect(stderr).toContain("100: Key not found (/app/_none)");
    expect(stdout).not.toContain("sha256");
  });
});

describe("etcdnet import", () => {
  it("writes an export, from a file or standard input", async () => {
    for (const [args, input] of [
      [[file], ""],
      [[], await readFile(file, "utf8")],
    ] as const) {
      await using target = await startEmbeddedEtcd();
      const outcome = await etcdnet(["--endpoints", target.url, "import", ...args], { input });
      expect(outcome).toEqual({
        code: 0,
        stdout: "",
        stderr: "11 keys and directories were written\n",
      });
      await expectImported(target.url);
    }
  });

  it("writes below another prefix", async () => {
    await using target = await startEmbeddedEtcd();
    await etcdnet(["--endpoints", target.url, "import", file, "--prefix", "/copy"]);
    const { stdout } = await etcdnet(["--endpoints", target.url, "get", "/copy/app/a"]);
    expect(stdout).toBe("1\n");
  });

  it("refuses a target with data, unless --overwrite is set", async () => {
    await using target = await startEmbeddedEtcd();
    await using etcd = new Client({ urls: [target.url] });
    await etcd.setNode("/app/a", "of the target");
    await etcd.setNode("/app/mine", "of the target");
    const refused = await etcdnet(["--endpoints", target.url, "import", file]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^Error: {2}\/app: already has data; use --overwrite [^\n]*\n$/);
    expect(await etcd.getNodeValue("/app/a")).toBe("of the target");

    const done = await etcdnet(["--endpoints", target.url, "import", "--overwrite", file]);
    expect(done.code).toBe(0);
    expect(await etcd.getNodeValue("/app/a")).toBe("1");
    expect(await etcd.getNodeValue("/app/mine")).toBe("of the target");
  });

  it("skips and names nodes that are a file in one tree and a directory in the other", async () => {
    await using target = await startEmbeddedEtcd();
    await using etcd = new Client({ urls: [target.url] });
    await etcd.setNode("/app/deep", "a file");
    await etcd.setNode("/app/a", null, { dir: true });
    const { code, stderr } = await etcdnet([
      "--endpoints",
      target.url,
      "import",
      "--overwrite",
      file,
    ]);
    expect(code).toBe(1);
    expect(stderr.split("\n").toSorted()).toEqual([
      "",
      "4 skipped because of conflicts",
      "7 keys and directories were written",
      "Error:  /app/a: is a file in the export, but /app/a is a directory in the target",
      "Error:  /app/deep/er/key: is a file in the export, but /app/deep is a file in the target",
      "Error:  /app/deep/er: is a directory in the export, but /app/deep is a file in the target",
      "Error:  /app/deep: is a directory in the export, but /app/deep is a file in the target",
    ]);
    expect(await etcd.getNodeValue("/app/deep")).toBe("a file");
  });

  it("refuses a damaged export before it writes", async () => {
    const text = await readFile(file, "utf8");
    const lines = text.trimEnd().split("\n");
    const damaged = join(directory, "damaged.jsonl");
    const cases: readonly (readonly [string, RegExp])[] = [
      [text.slice(0, text.length / 2), /line \d+: is truncated, or is not JSON/],
      [`${lines.slice(0, 5).join("\n")}\n`, /the export is truncated after line 5/],
      [text.replace('"for a while"', '"for a whale"'), /the export was altered/],
      [
        [...lines.slice(0, 3), ...lines.slice(4), ""].join("\n"),
        /the export has 10 entries, but its footer says 11/,
      ],
      [text + text, /line 14: is after the footer/],
      ["", /the export is truncated after line 0/],
      ['{"name":"etcdnet"}\n', /this is not an export of etcdnet/],
      [text.replace('"version":1', '"version":2'), /version 2 is not supported/],
      [text.replace('"key":"/app/a"', '"key":7'), /line 3: is neither an entry nor the footer/],
    ];
    await using target = await startEmbeddedEtcd();
    for (const [content, problem] of cases) {
      await writeFile(damaged, content);
      const outcome = await etcdnet(["--endpoints", target.url, "import", "--overwrite", damaged]);
      expect(outcome.code).toBe(1);
      expect(outcome.stderr).toMatch(problem);
      expect(outcome.stderr).toMatch(
        /^Error: {2}[^\n]*damaged\.jsonl: [^\n]*; nothing was written\n$/,
      );
    }
    expect((await etcdnet(["--endpoints", target.url, "ls"])).stdout).toBe("");
  });

  it("reports a missing file", async () => {
    const { code, stderr } = await cli.run(["import", join(directory, "none")]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: {2}[^\n]*: no such file or directory\n$/),
    ]);
  });
});

describeWithEtcd("3.4", "etcdnet export and import, on etcd 3.4", () => {
  it("move a tree, both ways", async () => {
    await using etcd = await startEtcd({ release: "3.4" });
    const [url] = etcd.urls;
    expect((await etcdnet(["--endpoints", url, "import", file])).code).toBe(0);
    await expectImported(url);
    const again = join(directory, "again.jsonl");
    const hidden = ["--hidden", "/app/_locks"];
    await etcdnet(["--endpoints", url, "export", "/app", ...hidden, "--file", again]);
    await using target = await startEmbeddedEtcd();
    expect((await etcdnet(["--endpoints", target.url, "import", again])).code).toBe(0);
    await expectImported(target.url);
  });

  it("name keys that are not UTF-8 or too deep", async () => {
    await using etcd = await startEtcd({ release: "3.4" });
    const [url] = etcd.urls;
    for (const path of ["/odd/k%FF", "/odd/k%FE", "/odd/plain"]) {
      await fetch(`${url}/v2/keys${path}`, { method: "PUT", body: new URLSearchParams("value=1") });
    }
    const at = ["--endpoints", url];
    const refused = await etcdnet([...at, "export", "/odd"]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/Error: .*"\/odd\/k\ufffd" is not UTF-8.*with --lossy/),
    ]);
    expect(refused.stdout).not.toContain("sha256");
    const lossy = await etcdnet([...at, "export", "/odd", "--lossy"]);
    expect([lossy.code, lossy.stderr]).toEqual([0, expect.stringContaining("/odd/k\ufffd is not")]);
    expect(lossy.stdout.match(/"key"/g)).toHaveLength(2);

    await using source = await startEmbeddedEtcd();
    await using client = new Client({ urls: [source.url] });
    await client.setNode("/d".repeat(64), "1");
    const { stdout: input } = await etcdnet(["--endpoints", source.url, "export", "/d"]);
    const deep = await etcdnet([...at, "--api", "v3", "import"], { input });
    expect([deep.code, deep.stderr]).toEqual([
      1,
      expect.stringMatching(/would have 63 levels in the target.*nothing was written/),
    ]);
    expect((await etcdnet([...at, "--api", "v3", "ls"])).stdout).toBe("");
  });
});
