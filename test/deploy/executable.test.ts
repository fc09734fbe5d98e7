/** The single executable, run on its own: in an empty environment, from another folder. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { root } from "../../scripts/project.mjs";
import { VERSION } from "../../src/cli/process/version.js";
import { type Outcome, run, type Started, start } from "../foreign/run.js";
import { describeWithEtcd, startEtcd } from "../support/etcd.js";
import { PROBLEM } from "./running.js";

const EXECUTABLE = join(root, "build/etcdnet");

let folder = "";

beforeAll(async () => {
  const built = await run(process.execPath, [join(root, "scripts/executable.mjs")]);
  expect(built.code, built.stderr).toBe(0);
  folder = await mkdtemp(join(tmpdir(), "etcdnet-executable-"));
});

afterAll(() => rm(folder, { recursive: true }));

const here = () => ({ cwd: folder, env: { PATH: "" } });

function etcdnet(...args: readonly string[]): Promise<Outcome> {
  return run(EXECUTABLE, args, here());
}

/** Starts a server, gives its URL to `use`, and ends it with SIGTERM. */
async function withServer(
  args: readonly string[],
  use: (url: string) => Promise<void>,
): Promise<void> {
  const server: Started = start(EXECUTABLE, [...args, "--port", "0"], here());
  try {
    await use(await vi.waitUntil(() => urlIn(server.printed()), { timeout: 300_000 }));
    server.child.kill("SIGTERM");
    const { code, stderr } = await server.ended;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(PROBLEM);
  } finally {
    server.child.kill("SIGKILL");
  }
}

function urlIn(printed: string): string | undefined {
  return /^listening on (\S+)$/m.exec(printed)?.[1];
}

async function expectSetAndGet(url: string): Promise<void> {
  const set = await etcdnet("--endpoints", url, "set", "/a/b", "value");
  expect([set.code, set.stderr]).toEqual([0, ""]);
  expect((await etcdnet("--endpoints", url, "get", "/a/b")).stdout).toBe("value\n");
}

describe("the single executable", () => {
  it("prints the version", async () => {
    expect(await etcdnet("--version")).toMatchObject({ code: 0, stdout: `etcdnet ${VERSION}\n` });
  });

  it("reports errors like the package", async () => {
    const { code, stdout, stderr } = await etcdnet(
      "--endpoints",
      "http://127.0.0.1:1",
      "get",
      "/a",
    );
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^Error: {2}GET \/a: no member returned a usable response/);
  });

  it("serves from memory", () => withServer(["serve"], expectSetAndGet));
});

describeWithEtcd("3.7", "the single executable before etcd 3.7", () => {
  it("serves the v2 API", async () => {
    await using etcd = await startEtcd({ release: "3.7" });
    await withServer(["gateway", "--endpoints", etcd.urls[0]], expectSetAndGet);
  });
});
