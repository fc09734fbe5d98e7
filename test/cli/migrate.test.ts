import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { buildIfStale } from "../../scripts/project.mjs";
import { EtcdClient, EventIndexClearedError } from "../../src/index.js";
import { startEmbeddedEtcd } from "../../src/server/embedded-etcd.js";
import type { Outcome } from "../foreign/run.js";
import { Cli } from "../support/cli-process.js";
import {
  describeEtcdSideBySide,
  describeWithEtcd,
  type EtcdCluster,
  startEtcd,
} from "../support/etcd.js";
import { inBatches } from "../support/in-batches.js";
import { releases } from "../support/releases.js";
import { V3Tool } from "../v3/v3-tools.js";
import { etcdnet } from "./etcdnet.js";

/** Its tests run processes. With more at a time on two cores, each would meet its timeouts. */
vi.setConfig({ maxConcurrency: 5 });

beforeAll(buildIfStale);

/** A source or target, as arguments and as client options. */
interface End {
  readonly url: string;
  readonly api: "v2" | "v3";
}

async function filled({ url, api }: End): Promise<void> {
  await using etcd = new EtcdClient({ urls: [url], api, writeTimeout: 60_000 });
  await etcd.setNode("/app/a", "1");
  await etcd.setNode("/app/deep/er/key", "line\u2028s\nand \r\n more €");
  await etcd.setNode("/app/empty", null, { dir: true });
  await etcd.setNode("/app/leased", "for a while", { ttl: 5000 });
  await etcd.createNode("/app/session", null, { dir: true, ttl: 5000 });
  await etcd.setNode("/app/session/x", "");
  await etcd.setNode("/app/session/leased", "", { ttl: 300 });
  await etcd.setNode("/app/_locks/l", "held");
  await etcd.setNode("/app/_other", "left behind");
  await inBatches(300, (n) => etcd.setNode(`/app/many/${n}`, `${n}`));
}

function between(from: End, to: End): readonly string[] {
  return ["--from", from.url, "--from-api", from.api, "--to", to.url, "--to-api", to.api];
}

function tree({ url, api }: End, key: string): Promise<Outcome> {
  return etcdnet(["--endpoints", url, "--api", api, "tree", "--values", key]);
}

const withoutTimes = (text: string) => text.replace(/\(\d+ s\)/g, "(N s)");

/** Migrates everything, compares it, and checks that a second run changes nothing. */
async function expectMigration(from: End, to: End): Promise<void> {
  const sides = [...between(from, to), "--hidden", "/app/_locks"];
  const plan = await etcdnet(["migrate", ...sides, "--dry-run"]);
  expect([plan.code, plan.stdout]).toEqual([0, expect.stringContaining("to write")]);
  expect((await etcdnet(["migrate", ...sides, "--verify"])).code).toBe(1);
  const moved = await etcdnet(["migrate", ...sides]);
  expect([moved.code, moved.stdout]).toEqual([0, ""]);
  expect(moved.stderr).toMatch(/^done: /m);
  expect(withoutTimes((await tree(to, "/app")).stdout)).toBe(
    withoutTimes((await tree(from, "/app")).stdout),
  );
  expect((await tree(to, "/app/_locks")).stdout).toContain('l = "held"');
  expect((await tree(to, "/app/_other")).code).toBe(4);
  const verified = await etcdnet(["diff", ...sides]);
  expect([verified.code, verified.stdout]).toEqual([0, ""]);
  expect(verified.stderr).toMatch(/compared, 0 differences\n$/);
  const again = await etcdnet(["migrate", ...sides]);
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining(" 0 written ")]);
}

async function indexOf({ url, api }: End): Promise<number> {
  await using etcd = new EtcdClient({ urls: [url], api });
  return (await etcd.getNode("/", { quorum: true })).etcdIndex;
}

describeEtcdSideBySide("3.4", "etcdnet migrate from etcd 3.4", () => {
  describeWithEtcd("3.7", "to etcd 3.7", () => {
    let old: EtcdCluster | undefined;
    let target: EtcdCluster | undefined;
    const v2 = (): End => ({ url: old?.urls[0] ?? "", api: "v2" });
    const v3 = (): End => ({ url: target?.urls[0] ?? "", api: "v3" });

    beforeAll(async () => {
      old = await startEtcd({ release: "3.4" });
      target = await startEtcd({ release: "3.7" });
      await filled(v2());
    });
    afterAll(async () => {
      await old?.stop();
      await target?.stop();
    });

    it("moves v2 to v3, with indexes above the old ones", async () => {
      await expectMigration(v2(), v3());
      expect(await indexOf(v3())).toBeGreaterThan(await indexOf(v2()));
    });

    it("ends a watch from an index of the old cluster with 401", async () => {
      await etcdnet(["migrate", ...between(v2(), v3())]);
      await using etcd = new EtcdClient({ urls: [v3().url], api: "v3" });
      const waiting = etcd.watchNode("/app", { waitIndex: await indexOf(v2()), recursive: true });
      await expect(waiting).rejects.toThrow(EventIndexClearedError);
    });

    it("names values that are not UTF-8, and copies them with --lossy", async () => {
      const tool = new V3Tool([v3().url]);
      await tool.put("/odd/value", Buffer.from([0xff, 0xfe]));
      tool.close();
      await using back = await startEmbeddedEtcd();
      const odd = [...between(v3(), { url: back.url, api: "v2" }), "--prefix", "/odd"];
      for (const mode of [[], ["--dry-run"]]) {
        const refused = await etcdnet(["migrate", ...odd, ...mode]);
        expect([refused.code, refused.stderr]).toEqual([
          1,
          expect.stringMatching(/^\/value has a value with U\+FFFD.*\nError: .*with --lossy/),
        ]);
      }
      const { code, stderr } = await etcdnet(["migrate", ...odd, "--lossy"]);
      expect([code, stderr]).toEqual([0, expect.stringContaining("except 1 named above")]);
      expect((await etcdnet(["migrate", ...odd, "--verify"])).stdout).toMatch(/^\? \/value/);
      expect((await etcdnet(["diff", ...odd, "--lossy"])).code).toBe(0);
      await etcdnet(["--endpoints", v3().url, "--api", "v3", "rm", "-r", "/odd"]);
    });

    it("uses a separate user for each side", async () => {
      await using guarded = await startEtcd({ release: "3.4", rootPassword: "s3cret" });
      const directory = await mkdtemp(join(tmpdir(), "etcdnet-migrate-"));
      const file = join(directory, "password");
      await writeFile(file, "s3cret\n");
      const end = { url: guarded.urls[0], api: "v2" } as const;
      const user = ["--to-username", "root", "--to-password-file", file];
      const sides = [...between(v2(), end), ...user, "--prefix", "/app/empty"];
      const { code, stderr } = await etcdnet(["migrate", ...sides, "--to-prefix", "/app/a/b"]);
      await rm(directory, { recursive: true });
      expect([code, stderr]).toEqual([0, expect.stringContaining("done: ")]);
      const { stdout } = await etcdnet(["--endpoints", end.url, "ls", "-p", "/app/a"]);
      expect(stdout).toBe("/app/a/b/\n");
    });

    it("moves back", async () => {
      await using back = await startEtcd({ release: "3.4" });
      await etcdnet(["migrate", ...between(v2(), v3())]);
      await expectMigration(v3(), { url: back.urls[0], api: "v2" });
    });

    it("fills v3 with many keys in one revision, also beside other data", async () => {
      await using fresh = await startEtcd({ release: "3.7" });
      const end = { url: fresh.urls[0], api: "v3" } as const;
      await etcdnet(["--endpoints", end.url, "--api", "v3", "set", "/app/many/other", "1"]);
      const sides = [...between(v2(), end), "--prefix", "/app/many", "--overwrite"];
      expect((await etcdnet(["migrate", ...sides])).code).toBe(0);
      const tool = new V3Tool(fresh.urls);
      const { kvs, header } = await tool.ask("kv/range", { key: "AA==", range_end: "AA==" });
      expect((kvs as readonly unknown[]).length).toBeGreaterThan(300);
      expect(Number((header as { revision: string }).revision)).toBeLessThan(20);
      tool.close();
    });

    it("refuses a v3-only target without --to-api v3", async () => {
      const outcome = await etcdnet(["migrate", ...between(v2(), { ...v3(), api: "v2" })]);
      expect([outcome.code, outcome.stderr]).toEqual([
        4,
        expect.stringMatching(/the v2 API is not served at .* set --from-api or --to-api to "v3"/),
      ]);
    });
  });

  it("follows until a signal, and copies all changes until then", async ({ expect }) => {
    await using source = await startEtcd({ release: "3.4" });
    await using target = await startEmbeddedEtcd();
    const ends = [
      { url: source.urls[0], api: "v2" },
      { url: target.url, api: "v2" },
    ] as const;
    await filled(ends[0]);
    await using follower = new Cli("migrate", ...between(...ends), "--follow");
    await expect.poll(() => follower.stderr).toContain("copied: ");
    await using etcd = new EtcdClient({ urls: [source.urls[0]] });
    await etcd.deleteNode("/app/many", { recursive: true });
    await etcd.setNode("/app/a", "2");
    await etcd.setNode("/app/new/dir", null, { dir: true });
    follower.process.kill("SIGTERM");
    expect(await follower.exit).toBe(0);
    expect(follower.stderr).toMatch(/^done: /m);
    expect((await etcdnet(["diff", ...between(...ends)])).stdout).toBe("");
  });
});

describeEtcdSideBySide("3.6", "etcdnet migrate from an embedded server to etcd 3.6", () => {
  it("moves everything", async () => {
    await using source = await startEmbeddedEtcd();
    await using target = await startEtcd({ release: "3.6" });
    const from = { url: source.url, api: "v2" } as const;
    await filled(from);
    await expectMigration(from, { url: target.urls[0], api: "v3" });
  });
});

for (const release of releases([], ["3.4", "3.5"])) {
  describeEtcdSideBySide(release, `etcdnet migrate within etcd ${release}`, () => {
    it.each([
      ["v2", "v3"],
      ["v3", "v2"],
    ] as const)("moves %s to %s", async (fromApi, toApi) => {
      await using source = await startEtcd({ release });
      await using target = await startEtcd({ release });
      const from = { url: source.urls[0], api: fromApi };
      await filled(from);
      await expectMigration(from, { url: target.urls[0], api: toApi });
    });
  });
}

describe.concurrent("etcdnet migrate", () => {
  const on = async (
    run: (from: End, to: End, urls: readonly [string, string]) => Promise<void>,
  ): Promise<void> => {
    await using source = await startEmbeddedEtcd();
    await using target = await startEmbeddedEtcd();
    const from = { url: source.url, api: "v2" } as const;
    await filled(from);
    await run(from, { url: target.url, api: "v2" }, [source.url, target.url]);
  };

  it("prints its progress when it is interrupted, and continues from there", ({ expect }) =>
    on(async (from, to) => {
      await using cli = new Cli("migrate", ...between(from, to), "--rate", "5");
      await expect.poll(() => cli.stderr).toContain("copying ");
      cli.process.kill("SIGINT");
      expect(await cli.exit).toBe(130);
      expect(cli.stderr).toMatch(
        /stopped: \d+% copied: .* run the same command again to continue\n$/,
      );
      expect((await etcdnet(["migrate", ...between(from, to)])).code).toBe(0);
      expect((await etcdnet(["diff", ...between(from, to)])).code).toBe(0);
    }));

  it("refuses a target that has data, unless told to overwrite", () =>
    on(async (from, to) => {
      await etcdnet(["--endpoints", to.url, "set", "/app", "other"]);
      const refused = await etcdnet(["migrate", ...between(from, to)]);
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/^Error: {2}the target already has data; with --overwrite, /),
      ]);
      expect((await etcdnet(["migrate", ...between(from, to), "--overwrite"])).code).toBe(0);
      expect((await etcdnet(["diff", ...between(from, to)])).code).toBe(0);
    }));

  it("lists each difference", () =>
    on(async (from, to) => {
      await etcdnet(["migrate", ...between(from, to)]);
      const say = (...args: readonly string[]) => etcdnet(["--endpoints", to.url, ...args]);
      await say("set", "/app/a", "2");
      await say("rm", "/app/many/7");
      await say("rmdir", "/app/empty");
      await say("set", "/app/empty", "a file");
      await say("set", "/app/deep/er/extra\n", "x");
      await say("set", "/app/leased", "for a while");
      const { code, stdout, stderr } = await etcdnet([
        ...["migrate", ...between(from, to), "--verify"],
      ]);
      expect(code).toBe(1);
      expect(stdout.replace(/\d+ s/, "N s").trimEnd().split("\n").sort()).toEqual([
        "+ /app/deep/er/extra\\n",
        "- /app/many/7",
        "~ /app/a value",
        "~ /app/empty/ is a file in the target",
        "~ /app/leased TTL N s, none in the target",
      ]);
      expect(stderr).toContain("5 differences\nthe target differs from the source\n");
    }));

  it("reports in a dry run and in a diff what the migration would refuse", () =>
    on(async (from, to) => {
      await etcdnet(["--endpoints", to.url, "set", "/other", "1"]);
      const { code, stderr } = await etcdnet(["migrate", ...between(from, to), "--dry-run"]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringContaining("already has data; with --overwrite"),
      ]);
      const same = ["migrate", ...between(from, from), "--verify"];
      expect((await etcdnet(same)).stderr).toMatch(/are the same tree/);
    }));

  it("reports at once that a side is unreachable", () =>
    on(async (from, to) => {
      const nowhere = { url: "http://127.0.0.1:1", api: "v2" } as const;
      for (const sides of [between(nowhere, to), between(from, nowhere)]) {
        for (const command of ["migrate", "diff"]) {
          const { code, stderr } = await etcdnet([command, ...sides]);
          expect([code, stderr]).toEqual([2, expect.stringContaining("127.0.0.1:1")]);
        }
      }
    }));

  it.each([
    [["--from", "http://127.0.0.1:1"], /'--to <urls>' not specified/],
    [["--dry-run", "--verify"], /--dry-run: cannot be combined with --verify/],
    [["--rate", "0"], /--rate.*It must be 1 or more/],
    [["--to-key-prefix", "/p"], /--to-key-prefix needs --to-api v3/],
    [["--from-cert", "/none"], /--from-cert needs --from-key/],
    [["--hidden", "/b/_c", "--prefix", "/a"], /hidden: \/b\/_c is not below \/a/],
  ])("explains the error in %j", async (args, message) => {
    const sides = args.includes("--from")
      ? []
      : ["--from", "http://127.0.0.1:1", "--to", "http://127.0.0.1:1"];
    const { code, stdout, stderr } = await etcdnet(["migrate", ...sides, ...args]);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(message)]);
  });
});
