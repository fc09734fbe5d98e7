import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale, root } from "../../scripts/project.mjs";
import { installed, type Missing, must } from "../foreign/install.js";
import { run } from "../foreign/run.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";

interface Package {
  readonly name: string;
  readonly version: string;
  /** Path inside the package of what is run. */
  readonly file: string;
}

const JEST = { name: "jest", version: "30.5.2", file: "bin/jest.js" };
/** Each carries the runtime's binary for 64-bit Linux. */
const BUN = { name: "@oven/bun-linux-x64", version: "1.4.5", file: "bin/bun" };
const DENO = { name: "@deno/linux-x64-glibc", version: "2.9.6", file: "deno" };

const EVERYTHING_WORKS = `v2 read and write: ä
v2 watch: /smoke/b
v2 lock: released
v3 read and write: ä
v3 watch: /smoke/b
v3 lock: released
embedded read and write: ä
embedded watch: /smoke/b
embedded lock: released
everything is closed
`;

beforeAll(() => buildIfStale());

describeWithEtcd("3.5", "the package runs on", () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ release: "3.5" });
  });
  afterAll(() => etcd?.stop());

  it("Node", () => smoke(process.execPath));

  itWith(BUN, "Bun", (bun) => smoke(bun));

  itWith(DENO, "Deno", (deno) => smoke(deno, "run", "--allow-all"));

  async function smoke(runtime: string, ...args: readonly string[]): Promise<void> {
    const [url] = etcd.urls;
    const program = join(import.meta.dirname, "smoke.mjs");
    const outcome = await run(runtime, [...args, program, url, url]);
    expect(outcome).toEqual({ code: 0, stdout: EVERYTHING_WORKS, stderr: "" });
  }
});

describe("the package runs under", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "etcdnet-jest-"));
    await writeFile(join(folder, "package.json"), "{}");
    await cp(join(import.meta.dirname, "jest.test.cjs"), join(folder, "smoke.test.js"));
    await mkdir(join(folder, "node_modules"));
    await symlink(root, join(folder, "node_modules/etcdnet"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  itWith(JEST, "Jest, in its default configuration", async (jest) => {
    const { code, stderr } = await run(process.execPath, [jest], { cwd: folder });
    expect(stderr).toContain("7 passed");
    expect(code).toBe(0);
  });
});

/** A test that needs a package of the npm registry. */
function itWith(from: Package, name: string, test: (path: string) => Promise<void>): void {
  const found = findPackage(from);
  if (typeof found === "string") it(name, () => test(found));
  else if (process.env.CI === "true") it(name, () => expect.fail(found.missing));
  else {
    console.warn(`skipped "${name}": ${found.missing}`);
    it.skip(name);
  }
}

function findPackage({ name, version, file }: Package): string | Missing {
  const folder = installed(`${name.replace("/", "-")}-${version}`, (work) => {
    must("npm", ["install", "--prefix", work, "--no-audit", "--no-fund", `${name}@${version}`], {
      cwd: work,
    });
  });
  if (typeof folder !== "string") return folder;
  const path = join(folder, "node_modules", name, file);
  return existsSync(path) ? path : { missing: `${name} has no ${file}` };
}
