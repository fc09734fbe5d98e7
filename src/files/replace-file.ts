import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type FileSystem, systemFiles } from "./file-system.js";
import { codeOf, FileWriteError } from "./file-write-error.js";
import { removeLeftovers, temporaryPath } from "./leftovers.js";

/** Options of {@link replaceFile}. */
export interface ReplaceOptions {
  /** Gives up; the file then stays as it was. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the new content is about to take its place; throws to prevent that. */
  readonly confirm?: (() => Promise<void>) | undefined;
  /** @default the system's */
  readonly fs?: FileSystem;
}

/** Milliseconds after which nobody is expected to be writing a temporary file any more. */
const ABANDONED = 3_600_000;

/** What the system says where directories cannot be synchronised. */
const NOT_OFFERED: ReadonlySet<unknown> = new Set([
  ...["EACCES", "EPERM", "EINVAL", "EISDIR", "ENOTSUP", "ENOSYS", "EBADF"],
]);

/**
 * Writes a file so that at any moment its path has the old content or the new one, whole: the new
 * one is written beside it, brought to the disk and then renamed. That holds when the process is
 * killed, the disk is full, or another process writes the same file.
 *
 * The file is one that only the user of the process can read (mode 600), whatever was there. What
 * is no file (a pipe, a device, a descriptor in `/dev/fd`) is written straight.
 *
 * @throws FileWriteError for a symbolic link, which could lead anywhere, and when the system refuses
 * @throws what `pieces` and `confirm` throw; the file is as it was then
 */
export async function replaceFile(
  path: string,
  pieces: AsyncIterable<string>,
  { signal, confirm, fs = systemFiles }: ReplaceOptions = {},
): Promise<void> {
  const target = (await isReplaceable(path, fs))
    ? await Replacement.begin(path, fs)
    : await StraightTarget.open(path, fs);
  try {
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      await target.write(piece);
    }
    signal?.throwIfAborted();
    await target.finish(confirm);
  } catch (error) {
    await target.discard();
    throw error;
  }
}

/** Whether there is a regular file, or nothing, at a path. @throws FileWriteError for a link */
async function isReplaceable(path: string, fs: FileSystem): Promise<boolean> {
  const found = await fs.lstat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw refused(path, error);
  });
  if (found === undefined || found.isFile()) return true;
  if (found.isDirectory()) {
    throw new FileWriteError(path, "it is a directory", "name a file in it");
  }
  if (!found.isSymbolicLink() || (await isDescriptor(path, fs))) return false;
  const advice = "name the file that it points to, or remove the link";
  throw new FileWriteError(path, "it is a symbolic link", advice);
}

/** The links that stand for open files of the process. */
async function isDescriptor(path: string, fs: FileSystem): Promise<boolean> {
  if (["/dev/stdout", "/dev/stderr"].includes(resolve(path))) return true;
  return (await fs.realpath(dirname(path))).startsWith("/proc/");
}

/** New content of a file, which takes its place at the end. */
class Replacement {
  readonly #path: string;
  readonly #temporary: string;
  readonly #fs: FileSystem;
  readonly #file: FileHandle;

  private constructor(path: string, temporary: string, fs: FileSystem, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#fs = fs;
    this.#file = file;
  }

  static async begin(path: string, fs: FileSystem): Promise<Replacement> {
    await removeLeftovers(path, ABANDONED, fs);
    const temporary = temporaryPath(path);
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    try {
      const file = await fs.open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600);
      return new Replacement(path, temporary, fs, file);
    } catch (error) {
      throw refused(path, error);
    }
  }

  write(piece: string): Promise<void> {
    return this.#try(() => this.#file.writeFile(piece));
  }

  async finish(confirm?: () => Promise<void>): Promise<void> {
    await this.#try(async () => {
      await this.#file.sync();
      await this.#file.close();
    });
    await confirm?.();
    await this.#try(() => this.#fs.rename(this.#temporary, this.#path));
    await this.#syncDirectory();
  }

  /** Removes what was written. Once it is in place, nothing is left to be removed. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await this.#fs.unlink(this.#temporary).catch(() => {});
  }

  async #try(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      throw refused(this.#path, error);
    }
  }

  /** Without it, a power failure could bring the old content back. */
  async #syncDirectory(): Promise<void> {
    try {
      const directory = await this.#fs.open(dirname(this.#path), "r");
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch (error) {
      if (NOT_OFFERED.has(codeOf(error))) return;
      const remains = "the new content is in place, but a power failure may bring the old one back";
      throw new FileWriteError(this.#path, reasonOf(error), remains, error);
    }
  }
}

/** What is no regular file: nothing takes the place of a pipe or a device. */
class StraightTarget {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string, fs: FileSystem): Promise<StraightTarget> {
    try {
      return new StraightTarget(path, await fs.open(path, "w"));
    } catch (error) {
      throw new FileWriteError(path, reasonOf(error), "nothing was written", error);
    }
  }

  async write(piece: string): Promise<void> {
    try {
      await this.#file.writeFile(piece);
    } catch (error) {
      throw new FileWriteError(this.#path, reasonOf(error), "a part may have been written", error);
    }
  }

  finish(): Promise<void> {
    return this.#file.close();
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
  }
}

/** The system's refusal, before the new content was in place. */
function refused(path: string, error: unknown): FileWriteError {
  const advice = ADVICE.get(codeOf(error) ?? "")?.(dirname(path));
  const remains = advice === undefined ? "it is as it was" : `it is as it was: ${advice}`;
  return new FileWriteError(path, reasonOf(error), remains, error);
}

const ADVICE: ReadonlyMap<string, (directory: string) => string> = new Map([
  ["EACCES", mayWrite],
  ["EPERM", mayWrite],
  ["EROFS", mayWrite],
  ["ENOENT", (directory) => `the directory ${directory} must exist`],
  ["EBUSY", (directory) => `it must not be a mount point; mount the directory ${directory}`],
]);

function mayWrite(directory: string): string {
  return `the process must be allowed to create files in ${directory}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
