import { randomBytes } from "node:crypto";
import { lstat, lutimes, readlink, rename, symlink, unlink } from "node:fs/promises";
import type { Clock } from "../time/clock.js";
import { sleep } from "../time/sleep.js";
import { codeOf } from "./file-write-error.js";
import { isRunning, ownIdentity, type ProcessIdentity } from "./process-identity.js";

/** Milliseconds between two signs of life. */
const SIGN_INTERVAL = 2_000;
/** Milliseconds without a sign of life after which an owner that cannot be looked up is dead. */
const SILENCE = 7_000;

/** What is seen of a lock that its owner has given up. */
const GIVEN_UP = "";

/** Somebody else owns a file. */
export class FileLockedError extends Error {}

/**
 * The right of one process to a file: a symbolic link beside it, `FILE.lock`, that leads nowhere and
 * names its owner. Unlike a file, it is made with its content in one step, also on a full disk.
 *
 * An owner that was killed is recognised: by its process id or, from another container or machine,
 * by the times of the link, which an owner renews.
 */
export class FileLock {
  readonly #path: string;
  readonly #owner: string;
  readonly #clock: Clock;
  #cancelSign: () => void = () => {};

  private constructor(path: string, owner: string, clock: Clock) {
    this.#path = path;
    this.#owner = owner;
    this.#clock = clock;
    this.#scheduleSign();
  }

  /**
   * Takes the lock of a file.
   *
   * @throws FileLockedError when somebody else has it
   * @throws the system's error where the link cannot be made
   */
  static async take(file: string, clock: Clock): Promise<FileLock> {
    const path = `${file}.lock`;
    const owner = nameOf(ownIdentity());
    const former = await make(path, owner);
    if (former !== undefined) await takeOver(path, owner, former, clock);
    return new FileLock(path, owner, clock);
  }

  /** @throws FileLockedError when somebody else has taken it meanwhile */
  async confirm(): Promise<void> {
    const owner = await make(this.#path, this.#owner);
    if (owner !== undefined && owner !== this.#owner) throw lockedBy(this.#path, owner);
  }

  /** Gives the lock up. */
  async release(): Promise<void> {
    this.#cancelSign();
    const owner = await readlink(this.#path).catch(() => undefined);
    if (owner === this.#owner) await unlink(this.#path).catch(() => {});
  }

  /** Renews the times of the link. What fails is tried again, and found by {@link confirm}. */
  #scheduleSign(): void {
    this.#cancelSign = this.#clock.after(SIGN_INTERVAL, () => {
      const now = new Date();
      void lutimes(this.#path, now, now).catch(() => {});
      this.#scheduleSign();
    });
  }
}

/** Makes the link; answers with its owner if it is there already. */
async function make(path: string, owner: string): Promise<string | undefined> {
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

/** Takes a dead owner's place. @throws FileLockedError when it lives, or somebody else was quicker */
async function takeOver(path: string, owner: string, former: string, clock: Clock): Promise<void> {
  if (await isAlive(path, former, clock)) throw lockedBy(path, former);
  const mine = `${path}.${randomBytes(8).toString("hex")}`;
  await symlink(owner, mine);
  await rename(mine, path);
  // Of two who do this at the same moment, one finds the other here, or when it confirms the lock.
  const found = await readlink(path);
  if (found !== owner) throw lockedBy(path, found);
}

async function isAlive(path: string, owner: string, clock: Clock): Promise<boolean> {
  const identity = identityOf(owner);
  const running = identity && isRunning(identity);
  if (running !== undefined) return running;
  const before = await signOf(path);
  await sleep(SILENCE, clock, undefined);
  const after = await signOf(path);
  return after !== before && after !== GIVEN_UP;
}

/** Who owns the link, and when that showed last. */
async function signOf(path: string): Promise<string> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readlink(path), lstat(path)]);
    return `${owner} ${mtimeMs}`;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return GIVEN_UP;
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
  return new FileLockedError(`${who} has it; see the lock ${path}`);
}
