import { FileLock, FileLockedError } from "../../files/file-lock.js";
import { systemFiles } from "../../files/file-system.js";
import { codeOf, FileWriteError } from "../../files/file-write-error.js";
import { removeLeftovers } from "../../files/leftovers.js";
import type { Clock } from "../../time/clock.js";
import { readSnapshot, type ServerSnapshot } from "./snapshot-reader.js";
import { type KeySpaces, writeSnapshot } from "./snapshot-writer.js";

/** The snapshot file of a server. No other server may use it at the same time. */
export class SnapshotFile {
  readonly path: string;
  readonly #lock: FileLock | undefined;

  private constructor(path: string, lock: FileLock | undefined) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Locks a file, and removes the temporary files of a killed server. If no lock can be made (e.g. on a
   * disk that is full or read-only), it emits a process warning.
   *
   * @throws Error when another server uses the file
   */
  static async open(path: string, clock: Clock): Promise<SnapshotFile> {
    const lock = await lockOf(path, clock);
    if (lock !== undefined) await removeLeftovers(path, 0, systemFiles);
    return new SnapshotFile(path, lock);
  }

  /** Undefined when there is no file. @throws SnapshotError for a file that cannot be used */
  read(): Promise<ServerSnapshot | undefined> {
    return readSnapshot(this.path);
  }

  /** Replaces the file; see {@link writeSnapshot}. @throws Error; the old file is then unchanged */
  async write(keySpaces: KeySpaces, onCaptured: () => void): Promise<void> {
    const confirm = (): Promise<void> | undefined => this.#lock?.confirm();
    try {
      await writeSnapshot(this.path, keySpaces, onCaptured, { confirm: async () => confirm() });
    } catch (error) {
      const { message } = error as Error;
      const what = error instanceof FileWriteError ? message : `file ${this.path}: ${message}`;
      throw new Error(`snapshot ${what}`, { cause: error });
    }
  }

  /** Lets other servers use the file. */
  async close(): Promise<void> {
    await this.#lock?.release();
  }
}

async function lockOf(path: string, clock: Clock): Promise<FileLock | undefined> {
  try {
    return await FileLock.acquire(path, clock);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof FileLockedError) {
      const rule = "only one server at a time can use a file";
      throw new Error(`snapshot file ${path} is in use: ${message}; ${rule}`, { cause: error });
    }
    // The write will report a missing directory.
    if (codeOf(error) !== "ENOENT") {
      const advice = "make sure that no other server uses it";
      process.emitWarning(`snapshot file ${path} cannot be locked: ${message}; ${advice}`);
    }
    return undefined;
  }
}
