import { randomBytes } from "node:crypto";
import { lstat, lutimes, readlink, rename, symlink, unlink } from "node:fs/promises";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { codeOf } from "./file-write-error.js";
import { isRunning, ownIdentity, type ProcessIdentity } from "./process-identity.js";

/** The owner renews the lock's times at this interval. */
const RENEWAL_INTERVAL_MS = 2_000;
/** Time without a renewal after which an owner on another machine is considered dead. */
const RENEWAL_TIMEOUT_MS = 7_000;

/** State of a released lock. */
const RELEASED = "";

/** Another process owns the file. */
export class FileLockedError extends Error {}

/**
 * Locks a file for one process. The lock is a symbolic link `FILE.lock` in the same directory, whose
 * target names the owner and does not exist. Unlike a file, a link is created with its content in one
 * step, even on a full disk.
 *
 * Detects an owner that was killed: by its process id or, from another container or machine, by the
 * times of the link, which a living owner renews.
 */
export class FileLock {
  readonly #path: string;
  readonly #owner: string;
  readonly #clock: Clock;
  #cancelRenewal: () => void = () => {};

  private constructor(path: string, owner: string, clock: Clock) {
    this.#path = path;
    this.#owner = owner;
    this.#clock = clock;
    this.#scheduleRenewal();
  }

  /**
   * Acquires the lock of a file.
   *
   * @throws FileLockedError when another process owns it
   * @throws the system's error if the link cannot be created
   */
  static async acquire(file: string, clock: Clock): Promise<FileLock> {
    const path = `${file}.lock`;
    const owner = nameOf(ownIdentity());
    const former = await createLink(path, owner);
    if (former !== undefined) await takeOver(path, owner, former, clock);
    return new FileLock(path, owner, clock);
  }

  /** Checks that this process still owns the lock. @throws FileLockedError otherwise */
  async confirm(): Promise<void> {
    const owner = await createLink(this.#path, this.#owner);
    if (owner !== undefined && owner !== this.#owner) throw lockedBy(this.#path, owner);
  }

  /** Releases the lock. */
  async release(): Promise<void> {
    this.#cancelRenewal();
    const owner = await readlink(this.#path).catch(() => undefined);
    if (owner === this.#owner) await unlink(this.#path).catch(() => {});
  }

  /** Renews the times of the link. Failures are retried; {@link confirm} detects a lost lock. */
  #scheduleRenewal(): void {
    this.#cancelRenewal = this.#clock.after(RENEWAL_INTERVAL_MS, () => {
      const now = new Date();
      void lutimes(this.#path, now, now).catch(() => {});
      this.#scheduleRenewal();
    });
  }
}

/** Creates the link. @returns the current owner if the link already exists */
async function createLink(path: string, owner: string): Promise<string | undefined> {
  for (;;) {
    try {
      await symlink(owner, path);
      return undefined;
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
    try {
      return await readlink(path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
  }
}

/** Takes over a lock. @throws FileLockedError if the owner runs, or another process was faster */
async function takeOver(path: string, owner: string, former: string, clock: Clock): Promise<void> {
  if (await isAlive(path, former, clock)) throw lockedBy(path, former);
  const temporary = `${path}.${randomBytes(8).toString("hex")}`;
  await symlink(owner, temporary);
  await rename(temporary, path);
  // If two processes take over at the same time, one of them detects the other here or in `confirm`.
  const found = await readlink(path);
  if (found !== owner) throw lockedBy(path, found);
}

async function isAlive(path: string, owner: string, clock: Clock): Promise<boolean> {
  const identity = identityOf(owner);
  const running = identity && isRunning(identity);
  if (running !== undefined) return running;
  const before = await stateOf(path);
  await sleep(RENEWAL_TIMEOUT_MS, clock, undefined);
  const after = await stateOf(path);
  return after !== before && after !== RELEASED;
}

/** Owner and last renewal of the lock. */
async function stateOf(path: string): Promise<string> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readlink(path), lstat(path)]);
    return `${owner} ${mtimeMs}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return RELEASED;
    throw error;
  }
}

function nameOf({ pid, start, space, host }: ProcessIdentity): string {
  return `${pid}:${start}:${space}:${randomBytes(4).toString("hex")}@${host}`;
}

function identityOf(owner: string): ProcessIdentity | undefined {
  const [, pid, start, space, host] = /^(\d+):([^:]*):([^:]*):[^@]*@(.*)$/.exec(owner) ?? [];
  if (pid === undefined || start === undefined || space === undefined) return undefined;
  return { pid: Number(pid), start, space, host: host ?? "" };
}

function lockedBy(path: string, owner: string): FileLockedError {
  const identity = identityOf(owner);
  const who = identity ? `process ${identity.pid} on ${identity.host}` : `"${owner}"`;
  return new FileLockedError(`${who} has locked it (see ${path})`);
}
