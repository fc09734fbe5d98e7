import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type FileSystem, systemFiles } from "./file-system.js";
import { codeOf, FileWriteError } from "./file-write-error.js";
import { removeLeftovers, temporaryPath } from "./leftovers.js";

/** Options of {@link replaceFile}. */
export interface ReplaceOptions {
  /** Aborts. The file then stays unchanged. */
  readonly signal?: AbortSignal | undefined;
  /** Called before the new content replaces the old. An error prevents that. */
  readonly confirm?: (() => Promise<void>) | undefined;
  /** @default the system's */
  readonly fs?: FileSystem;
}

/** Age from which a temporary file is assumed to be abandoned. */
const ABANDONED_AFTER_MS = 3_600_000;

/** Error codes of systems that cannot sync directories. */
const SYNC_UNSUPPORTED: ReadonlySet<unknown> = new Set([
  ...["EACCES", "EPERM", "EINVAL", "EISDIR", "ENOTSUP", "ENOSYS", "EBADF"],
]);

/**
 * Writes a file so that its path always has the complete old content or the complete new one.
 * Writes the new content beside it, syncs it to disk and then renames it. This is safe when the
 * process is killed, the disk is full, or another process writes the same file.
 *
 * Only the user of the process can read the new file (mode 600). The mode of the old file is not kept. A path
 * that is not a regular file (a pipe, a device, a descriptor in `/dev/fd`) is written directly.
 *
 * @throws FileWriteError for a symbolic link, which could point anywhere, and when the system
 *   refuses
 * @throws errors of `pieces` and `confirm`; the file is then unchanged
 */
export async function replaceFile(
  path: string,
  pieces: AsyncIterable<string>,
  { signal, confirm, fs = systemFiles }: ReplaceOptions = {},
): Promise<void> {
  const target = (await isReplaceable(path, fs))
    ? await Replacement.begin(path, fs)
    : await DirectTarget.open(path, fs);
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

/** Whether a path is a regular file or does not exist. @throws FileWriteError for a link */
async function isReplaceable(path: string, fs: FileSystem): Promise<boolean> {
  const found = await fs.lstat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw writeError(path, error);
  });
  if (found === undefined || found.isFile()) return true;
  if (found.isDirectory()) {
    throw new FileWriteError(path, "it is a directory", "name a file in it");
  }
  if (!found.isSymbolicLink() || (await isDescriptor(path, fs))) return false;
  const advice = "name the file that it points to, or remove the link";
  throw new FileWriteError(path, "it is a symbolic link", advice);
}

/** Whether a link represents an open file of the process. */
async function isDescriptor(path: string, fs: FileSystem): Promise<boolean> {
  if (["/dev/stdout", "/dev/stderr"].includes(resolve(path))) return true;
  return (await fs.realpath(dirname(path))).startsWith("/proc/");
}

/** Writes the new content beside the file and renames it at the end. */
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
    await removeLeftovers(path, ABANDONED_AFTER_MS, fs);
    const temporary = temporaryPath(path);
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    try {
      const file = await fs.open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600);
      return new Replacement(path, temporary, fs, file);
    } catch (error) {
      throw writeError(path, error);
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

  /** Removes the temporary file, if it was not renamed. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await this.#fs.unlink(this.#temporary).catch(() => {});
  }

  async #try(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }

  /** Without this, a power failure could restore the old content. */
  async #syncDirectory(): Promise<void> {
    try {
      const directory = await this.#fs.open(dirname(this.#path), "r");
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch (error) {
      if (SYNC_UNSUPPORTED.has(codeOf(error))) return;
      const remains = "the new content is in place, but a power failure may bring the old one back";
      throw new FileWriteError(this.#path, reasonOf(error), remains, error);
    }
  }
}

/** Writes to a path that is not a regular file, such as a pipe or a device. */
class DirectTarget {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string, fs: FileSystem): Promise<DirectTarget> {
    try {
      return new DirectTarget(path, await fs.open(path, "w"));
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

/** The error for a failure before the new content was in place. */
function writeError(path: string, error: unknown): FileWriteError {
  const advice = ADVICE.get(codeOf(error) ?? "")?.(dirname(path));
  const remains = advice === undefined ? "it is unchanged" : `it is unchanged: ${advice}`;
  return new FileWriteError(path, reasonOf(error), remains, error);
}

const ADVICE: ReadonlyMap<string, (directory: string) => string> = new Map([
  ["EACCES", needsWriteAccess],
  ["EPERM", needsWriteAccess],
  ["EROFS", needsWriteAccess],
  ["ENOENT", (directory) => `create the directory ${directory}`],
  ["EBUSY", (directory) => `mount the directory ${directory}, not the file`],
]);

function needsWriteAccess(directory: string): string {
  return `allow the process to create files in ${directory}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
