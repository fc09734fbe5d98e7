import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const NPM = ["--no-audit", "--no-fund", "--loglevel=error"];

describe("the package, packed and installed in an empty folder", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "etcdnet-package-"));
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

  test("installs at most three packages", async () => {
    const installed = await readdir(join(folder, "node_modules"));
    const packages = installed.filter((name) => !name.startsWith("."));
    expect(packages).toContain("etcdnet");
    expect(packages.length).toBeLessThanOrEqual(3);
  });

  test("contains the compiled code, its types, the license, the README and the changelog", async () => {
    const contents = await readdir(join(folder, "node_modules/etcdnet"));
    const expected = ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json"];
    expect(contents.sort()).toEqual(expected);
  });

  test.each([
    ["an ES module imports it", "index.mjs", 'import { EtcdClient } from "etcdnet";'],
    ["CommonJS requires it", "index.cjs", 'const { EtcdClient } = require("etcdnet");'],
  ])("%s", async (_name, file, load) => {
    const program = `${load}
      const etcd = new EtcdClient({ urls: ["http://127.0.0.1:1"] });
      etcd.getNode("/a").catch((error) => console.log(error.name)).finally(() => etcd.close());`;
    await writeFile(join(folder, file), program);
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    expect(stdout.trim()).toBe("ClusterUnavailableError");
  });

  test("has types that strict TypeScript checks, in ES modules and in CommonJS", async () => {
    const program = `import { EtcdClient, type EtcdResponse, type LockHandle } from "etcdnet";
      import { startEmbeddedEtcd } from "etcdnet/server";
      const etcd = new EtcdClient({ endpoints: "http://127.0.0.1:2379" });
      export const response: Promise<EtcdResponse> = etcd.getNode("/a", { sorted: true });
      export const handle: Promise<LockHandle> = etcd.lock("/lock").acquire();
      export const server = startEmbeddedEtcd({ port: 0 });
      // @ts-expect-error a directory has no value
      export const wrong = etcd.setNode("/a", "1", { dir: true });`;
    const files = ["index.mts", "index.cts"];
    for (const file of files) await writeFile(join(folder, file), program);
    const tsc = join(import.meta.dirname, "../node_modules/typescript/bin/tsc");
    const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext"];
    const types = [
      "--typeRoots",
      join(import.meta.dirname, "../node_modules/@types"),
      "--types",
      "node",
    ];
    await run(process.execPath, [tsc, ...flags, ...types, ...files], { cwd: folder });
  });
});
