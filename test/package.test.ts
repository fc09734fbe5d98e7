/** The package as a user gets it: packed, and installed in an empty folder. */

import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIfStale } from "../scripts/project.mjs";
import { installed, type Missing, must } from "./foreign/install.js";
import { itWith } from "./foreign/missing.js";
import { IS_EVERY_RELEASE } from "./support/releases.js";

const run = promisify(execFile);
const NPM = ["--no-audit", "--no-fund", "--loglevel=error"];
const modules = join(import.meta.dirname, "../node_modules");

/** The entries of package.json, by what they are imported as. */
const ENTRIES = {
  etcdnet: "index",
  "etcdnet/server": "server/index",
  "etcdnet/testing": "testing/index",
};

/** A program that uses no global types: the declarations of the package must find what they need. */
const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: "es2022",
  types: [],
  noEmit: true,
};

const OLD_RESOLUTION = {
  module: "commonjs",
  moduleResolution: "node10",
  ignoreDeprecations: "6.0",
};

/** Options that the declarations need in older releases of TypeScript. */
const OLDER_TYPESCRIPT = {
  // It has neither `NoInfer` nor iterators with a type of their result.
  "5.0.4": { skipLibCheck: true },
  "5.7.3": {},
  "5.9.3": {},
};

/** Uses each entry, and prints the value of a key and the name of an error. */
const TOUR = `(async () => {
  const server = await startEmbeddedEtcd({ clock: new ManualClock() });
  const etcd = new EtcdClient({ endpoints: server.url });
  await etcd.setNode("/a", "1");
  console.log(await etcd.getNodeValue("/a"));
  await etcd.getNode("/b").catch((error) => console.log(error.name, isEtcdError(error, "KeyNotFound")));
  await etcd.close();
  await server.close();
})();`;
const TOURED = "1\nKeyNotFoundError true\n";
const IMPORTS = `import { EtcdClient, isEtcdError } from "etcdnet";
  import { startEmbeddedEtcd } from "etcdnet/server";
  import { ManualClock } from "etcdnet/testing";`;
const REQUIRES = `const { EtcdClient, isEtcdError } = require("etcdnet");
  const { startEmbeddedEtcd } = require("etcdnet/server");
  const { ManualClock } = require("etcdnet/testing");`;

describe("the package, packed and installed in an empty folder", () => {
  let folder: string;
  /** Of the installed package. */
  let contents: string;

  beforeAll(async () => {
    buildIfStale();
    folder = await mkdtemp(join(tmpdir(), "etcdnet-package-"));
    contents = join(folder, "node_modules/etcdnet");
    const { stdout } = await run("npm", [
      "pack",
      "--json",
      "--ignore-scripts",
      "--pack-destination",
      folder,
      ...NPM,
    ]);
    const name = /"filename": "([^"]+)"/.exec(stdout)?.[1] ?? "no tarball";
    await writeFile(join(folder, "package.json"), '{ "private": true }');
    await run("npm", ["install", ...NPM, "--prefer-offline", `./${name}`], { cwd: folder });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("installs at most four packages", async () => {
    const installed = await readdir(join(folder, "node_modules"));
    const packages = installed.filter((name) => !name.startsWith("."));
    expect(packages).toContain("etcdnet");
    expect(packages.length).toBeLessThanOrEqual(4);
  });

  test("contains code, types, sources, the license, the README and the changelog", async () => {
    const expected = ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "src"];
    expect((await readdir(contents)).sort()).toEqual(expected);
    const files = await readdir(contents, { recursive: true });
    expect(files.filter((file) => file.includes(".test."))).toEqual([]);
  });

  test("has an URL for its repository, its home page and its bugs", async () => {
    const { repository, homepage, bugs } = JSON.parse(
      await readFile(join(contents, "package.json"), "utf8"),
    );
    const url = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
    expect(new URL(url).protocol).toBe("https:");
    expect([homepage, bugs.url]).toEqual([`${url}#readme`, `${url}/issues`]);
  });

  test.each(Object.values(ENTRIES))("loads at most four files for %s.js", async (entry) => {
    for (const form of ["dist", "dist/cjs"]) {
      const files = await filesOf(join(contents, form, `${entry}.js`));
      expect(files.size, form).toBeLessThanOrEqual(4);
    }
  });

  test("has source maps that lead to its sources, for code and for types", async () => {
    const files = await readdir(join(contents, "dist"), { recursive: true });
    const maps = files.filter((file) => file.endsWith(".map"));
    // The page of the console is minified, with packages whose sources are not here.
    const own = files.filter((name) => !name.startsWith("console/"));
    for (const file of own.filter((name) => /\.(js|d\.ts)$/.test(name))) {
      expect(maps).toContain(`${file}.map`);
    }
    for (const map of maps) {
      const path = join(contents, "dist", map);
      const { sources } = JSON.parse(await readFile(path, "utf8"));
      await Promise.all(sources.map((name: string) => readFile(join(dirname(path), name))));
    }
  });

  test("names its license in each file of code", async () => {
    const files = await readdir(join(contents, "dist"), { recursive: true });
    for (const file of files.filter((name) => name.endsWith(".js"))) {
      const code = await readFile(join(contents, "dist", file), "utf8");
      expect(code).toMatch(/^(#!.*\n)?\/\/ SPDX-License-Identifier: Apache-2\.0\n/);
    }
  });

  test("shows lines of its sources in stacks, with --enable-source-maps", async () => {
    const program = `import { EtcdClient } from "etcdnet";
      try { new EtcdClient({}) } catch (error) { console.log(error.stack) }`;
    const flags = ["--enable-source-maps", "--input-type=module", "--eval", program];
    const { stdout } = await run(process.execPath, flags, { cwd: folder });
    const [, path = "", line] = /\((\S+etcd-client\.ts):(\d+):\d+\)/.exec(stdout) ?? [];
    const source = await readFile(path, "utf8");
    expect(path).toBe(join(contents, "src/client/etcd-client.ts"));
    expect(source.split("\n")[Number(line) - 1]).toContain("checkOptions(options)");
  });

  test.each([
    ["an ES module imports it", "index.mjs", IMPORTS],
    ["CommonJS requires it", "index.cjs", REQUIRES],
  ])("%s", async (_name, file, load) => {
    await writeFile(join(folder, file), load + TOUR);
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    expect(stdout).toBe(TOURED);
  });

  test.each([
    // undici is CommonJS and requires modules of Node.
    [
      "esm",
      "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    ],
    ["cjs", ""],
  ] as const)("esbuild bundles it to one minified file, as %s", async (format, banner) => {
    const outfile = join(folder, format === "esm" ? "bundle.mjs" : "bundle.cjs");
    const stdin = { contents: IMPORTS + TOUR, resolveDir: folder };
    const options = { bundle: true, minify: true, platform: "node", logLevel: "silent" } as const;
    const built = await build({ ...options, stdin, format, outfile, banner: { js: banner } });
    expect(built.warnings).toEqual([]);
    const { stdout } = await run(process.execPath, [outfile], { cwd: tmpdir() });
    expect(stdout).toBe(TOURED);
  });

  describe("has types that strict TypeScript checks,", () => {
    const client = `import { EtcdClient, type EtcdResponse, type LockHandle } from "etcdnet";
      const etcd = new EtcdClient({ endpoints: "http://127.0.0.1:2379" });
      export const response: Promise<EtcdResponse> = etcd.getNode("/a", { sorted: true });
      export const handle: Promise<LockHandle> = etcd.lock("/lock").acquire();
      // @ts-expect-error a directory has no value
      export const wrong = etcd.setNode("/a", "1", { dir: true });`;
    const allEntries = `${client}
      import { startEmbeddedEtcd } from "etcdnet/server";
      import { ManualClock } from "etcdnet/testing";
      export const server = startEmbeddedEtcd({ port: 0, clock: new ManualClock() });`;

    beforeAll(async () => {
      for (const file of ["index.mts", "index.cts"]) await writeFile(join(folder, file), client);
      await writeFile(join(folder, "index.ts"), allEntries);
      // As `npm install @types/node` does.
      const types = join(folder, "node_modules/@types");
      await cp(join(modules, "@types/node"), join(types, "node"), { recursive: true });
      await cp(join(modules, "undici-types"), join(folder, "node_modules/undici-types"), {
        recursive: true,
      });
    });

    test.each([
      ["in ES modules and in CommonJS", { module: "nodenext" }, ["index.mts", "index.cts"]],
      [
        "with the old resolution of modules",
        { ...OLD_RESOLUTION, skipLibCheck: true },
        ["index.ts"],
      ],
    ])("%s", (_name, options, files) =>
      expectTypes(join(modules, "typescript/bin/tsc"), options, files),
    );

    // What `npm install typescript` gets.
    itWith(typescript("7.0.2"), "by TypeScript 7, also with the resolution of bundlers", (tsc) =>
      expectBothResolutions(tsc),
    );

    for (const [version, options] of Object.entries(OLDER_TYPESCRIPT)) {
      const name = `by TypeScript ${version}`;
      if (IS_EVERY_RELEASE) {
        itWith(typescript(version), name, (tsc) => expectBothResolutions(tsc, options));
      } else test.skip(`${name}, with ETCDNET_SUPPORT=all`);
    }

    async function expectBothResolutions(tsc: string, options = {}): Promise<void> {
      await expectTypes(tsc, { module: "nodenext", ...options }, ["index.mts", "index.cts"]);
      const bundler = { module: "esnext", moduleResolution: "bundler" };
      await expectTypes(tsc, { ...bundler, ...options }, ["index.ts"]);
    }

    async function expectTypes(
      tsc: string,
      options: object,
      files: readonly string[],
    ): Promise<void> {
      const compilerOptions = { ...STRICT, ...options };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
      const { stdout } = await run(process.execPath, [tsc], { cwd: folder }).catch(
        (error) => error,
      );
      expect(stdout).toBe("");
    }
  });
});

/** The path of its compiler. */
function typescript(version: string): string | Missing {
  const found = installed(`typescript-${version}`, (work) => {
    must("npm", ["install", "--prefix", work, ...NPM, `typescript@${version}`], { cwd: work });
  });
  if (typeof found !== "string") return found;
  return join(found, "node_modules/typescript/bin/tsc");
}

/** The files of the package that load with a file. */
async function filesOf(path: string, found = new Set<string>()): Promise<ReadonlySet<string>> {
  if (found.has(path)) return found;
  found.add(path);
  const code = await readFile(path, "utf8");
  const names = code.matchAll(
    /^(?:import|export) .*?["'](\.[^"']+)|^(?:const .* = )?require\(["'](\.[^"']+)/gm,
  );
  for (const [, imported, required = imported] of names) {
    if (required !== undefined) await filesOf(join(dirname(path), required), found);
  }
  return found;
}
