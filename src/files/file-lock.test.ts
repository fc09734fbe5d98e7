import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readlink, rm, symlink, unlink } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../test/support/simulated-clock.js";
import { FileLock, FileLockedError } from "./file-lock.js";
import { ownIdentity } from "./process-identity.js";

let top = "";
let directory = "";
let file = "";

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), "etcdnet-lock-"));
});
afterAll(() => rm(top, { recursive: true }));

beforeEach(async () => {
  directory = await mkdtemp(join(top, "d-"));
  file = join(directory, "file");
});

const lockFile = (): string => `${file}.lock`;

it("has one owner at a time, until it is released", async () => {
  const clock = new SimulatedClock();
  const first = await FileLock.acquire(file, clock);
  const second = FileLock.acquire(file, clock);
  await expect(second).rejects.toBeInstanceOf(FileLockedError);
  await expect(second).rejects.toThrow(
    `process ${process.pid} on ${hostname()} has locked it (see ${lockFile()})`,
  );
  await first.confirm();
  await first.release();
  expect([await readdir(directory), clock.pending]).toEqual([[], 0]);
  await (await FileLock.acquire(file, clock)).release();
});

it("of a killed process is taken over at once, even if another process has its id", async () => {
  const clock = new SimulatedClock();
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const { space, start } = ownIdentity();
  child.kill("SIGKILL");
  await once(child, "exit");
  for (const owner of [
    `${child.pid}:-:${space}:0@dead`,
    `${process.pid}:${start}0:${space}:0@before`,
  ]) {
    await symlink(owner, lockFile());
    const lock = await FileLock.acquire(file, clock);
    expect(await readlink(lockFile())).not.toBe(owner);
    await lock.release();
    expect(await readdir(directory)).toEqual([]);
  }
});

it("of an owner in another container is taken over when its timestamp is not updated", async () => {
  const clock = new SimulatedClock();
  await symlink("1:2:another.machine:3@elsewhere", lockFile());
  const taking = FileLock.acquire(file, clock);
  await expect.poll(() => clock.pending).toBe(1);
  clock.advance(7_000);
  const lock = await taking;
  await lock.release();
});

it("of an owner in another container is respected while its timestamp is updated", async () => {
  const [clock, ownClock] = [new SimulatedClock(), new SimulatedClock()];
  const owner = await FileLock.acquire(file, ownClock);
  const name = await readlink(lockFile());
  await unlink(lockFile());
  await symlink(name.replace(ownIdentity().space, "elsewhere"), lockFile());
  const taking = FileLock.acquire(file, clock);
  const refused = expect(taking).rejects.toBeInstanceOf(FileLockedError);
  await expect.poll(() => clock.pending).toBe(1);
  ownClock.advance(2_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  clock.advance(7_000);
  await refused;
  await owner.release();
});

it("that another process has taken is noticed, and left to it", async () => {
  const lock = await FileLock.acquire(file, new SimulatedClock());
  await unlink(lockFile());
  await lock.confirm();
  await unlink(lockFile());
  await symlink("somebody", lockFile());
  await expect(lock.confirm()).rejects.toThrow(`"somebody" has locked it (see ${lockFile()})`);
  await lock.release();
  expect(await readlink(lockFile())).toBe("somebody");
});

it("is acquired by one of many concurrent processes", async () => {
  await symlink(`0:0:${ownIdentity().space}:0@dead`, lockFile());
  const clock = new SimulatedClock();
  const takers = await Promise.allSettled(
    Array.from({ length: 10 }, () => FileLock.acquire(file, clock)),
  );
  const taken = takers.flatMap((taker) => (taker.status === "fulfilled" ? [taker.value] : []));
  const confirmed = await Promise.allSettled(taken.map((lock) => lock.confirm()));
  expect(confirmed.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await Promise.all(taken.map((lock) => lock.release()));
});
