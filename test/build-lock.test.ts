import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withLock } from "../scripts/build-lock.mjs";
import { root } from "../scripts/project.mjs";

/** Begins when its input ends. Writes a line when its work begins and ends, and lets others run meanwhile. */
const WORKER = `
  import { appendFileSync, readFileSync } from "node:fs";
  import { withLock } from ${JSON.stringify(join(root, "scripts/build-lock.mjs"))};
  console.log("ready");
  readFileSync(0);
  for (let round = 0; round < 20; round++) {
    withLock("lock", () => {
      appendFileSync("work", "begin\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      appendFileSync("work", "end\\n");
    });
  }`;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "etcdnet-build-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

it("lets one of many processes work at a time", async () => {
  const workers = Array.from({ length: 3 }, () =>
    spawn(process.execPath, ["--input-type=module", "--eval", WORKER], { cwd: folder }),
  );
  const exits = workers.map((worker) => once(worker, "exit"));
  await Promise.all(workers.map((worker) => once(worker.stdout, "data")));
  for (const worker of workers) worker.stdin.end();
  const codes = await Promise.all(exits);
  expect(codes).toEqual(workers.map(() => [0, null]));
  expect(readFileSync(join(folder, "work"), "utf8")).toBe("begin\nend\n".repeat(60));
});

it("is released when the work fails, and taken from a process that was killed", () => {
  const lock = join(folder, "lock");
  const fail = () => {
    throw new Error("it fails");
  };
  expect(() => withLock(lock, fail)).toThrow("it fails");
  symlinkSync(String(spawnSync("true").pid), lock);
  let seen: readonly string[] = [];
  withLock(lock, () => {
    seen = readdirSync(folder);
  });
  expect([seen, readdirSync(folder)]).toEqual([["lock"], []]);
});
