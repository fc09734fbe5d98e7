import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { SimulatedClock } from "../../../test/support/simulated-clock.js";
import { FileMonitor } from "./file-monitor.js";

const directory = mkdtempSync(join(tmpdir(), "etcdnet-monitor-"));

afterAll(() => rmSync(directory, { recursive: true }));

function monitored(name: string) {
  const file = join(directory, name);
  const lines: string[] = [];
  const results: (string | Error | undefined)[] = [];
  let reloads = 0;
  const reload = async (): Promise<string | undefined> => {
    reloads++;
    const result = results.shift();
    if (result instanceof Error) throw result;
    return result;
  };
  const clock = new SimulatedClock();
  const monitor = new FileMonitor([{ name, files: [file], reload }], clock, (line) => {
    lines.push(line);
  });
  /** The next result of the reload, if there is one. */
  const write = (content: string, ...next: (string | Error | undefined)[]): void => {
    writeFileSync(file, content);
    utimesSync(file, content.length, content.length);
    results.push(...next);
  };
  return { monitor, clock, lines, write, reloads: () => reloads };
}

test("files are reloaded when they have changed, and not otherwise", async () => {
  const { monitor, lines, write, reloads } = monitored("changed");
  write("1", undefined);
  for (let count = 0; count < 3; count++) await monitor.check();
  expect([reloads(), lines]).toEqual([1, []]);
  write("22", "version 2");
  for (let count = 0; count < 3; count++) await monitor.check();
  expect([reloads(), lines]).toEqual([2, ["reloaded changed: version 2"]]);
});

test("files are checked at intervals until the monitor stops", async () => {
  const { monitor, clock, write, reloads } = monitored("polled");
  write("1", undefined, "version 2");
  let checks = 0;
  monitor.start(() => checks++);
  await clock.pass(5_000);
  await vi.waitUntil(() => clock.pending === 1, { timeout: 60_000 });
  expect([checks, reloads()]).toEqual([1, 1]);
  write("22");
  await clock.pass(5_000);
  await vi.waitUntil(() => clock.pending === 1, { timeout: 60_000 });
  expect([checks, reloads()]).toEqual([2, 2]);
  monitor.stop();
  expect(clock.pending).toBe(0);
});

test("without files, nothing is checked", () => {
  const clock = new SimulatedClock();
  new FileMonitor([], clock, () => {}).start();
  expect(clock.pending).toBe(0);
});

test("a failure is reported once, at the second check, and its end too", async () => {
  const { monitor, lines, write } = monitored("broken");
  const mismatch = new Error("key values mismatch");
  write("1", mismatch);
  await monitor.check();
  expect(lines).toEqual([]);
  write("22", mismatch, mismatch, mismatch, "version 2");
  for (let count = 0; count < 6; count++) await monitor.check();
  expect(lines).toEqual([
    "warning: broken: not reloaded, the former stays in use: key values mismatch",
    "reloaded broken: version 2",
  ]);
});

test("a failure between the writes of two files is not reported", async () => {
  const { monitor, lines, write } = monitored("pair");
  write("1", new Error("key values mismatch"));
  await monitor.check();
  write("22", "version 2");
  await monitor.check();
  expect(lines).toEqual(["reloaded pair: version 2"]);
});

test("on request, all files are reloaded, and each result is reported", async () => {
  const { monitor, lines, write } = monitored("asked");
  write("1", undefined, undefined, new Error("ENOENT"), undefined);
  await monitor.check();
  await monitor.check(true);
  await monitor.check(true);
  await monitor.check();
  expect(lines).toEqual([
    "asked: not changed",
    "warning: asked: not reloaded, the former stays in use: ENOENT",
    "asked: the files can be read again, and have not changed",
  ]);
});
