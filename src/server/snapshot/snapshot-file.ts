import { FileLock, FileLockedError } from "../../files/file-lock.js";
import { systemFiles } from "../../files/file-system.js";
import { codeOf, FileWriteError } from "../../files/file-write-error.js";
import { removeLeftovers } from "../../files/leftovers.js";
import type { Clock } from "../../time/clock.js";
import { readSnapshot, type ServerSnapshot } from "./snapshot-reader.js";
import { type KeySpaces, writeSnapshot } from "./snapshot-writer.js";

/** The file of a server, which no other server may use at the same time. */
export class SnapshotFile {
  readonly path: string;
  readonly #lock: FileLock | undefined;

  private constructor(path: string, lock: FileLock | undefined) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Locks a file, and removes what a killed server has left beside it. Where no lock can be made (on
   * a disk that is full or read-only, say), the process is warned.
   *
   * @throws Error when another server has it
   */
  static async open(path: string, clock: Clock): Promise<SnapshotFile> {
    const lock = await lockOf(path, clock);
    if (lock !== undefined) await removeLeftovers(path, 0, systemFiles);
    return new SnapshotFile(path, lock);
  }

  /** Nothing when there is no file. @throws SnapshotError for one that cannot be used */
  read(): Promise<ServerSnapshot | undefined> {
    return readSnapshot(this.path);
  }

  /** Writes it anew; see {@link writeSnapshot}. @throws Error; the old one is still there then */
  async write(keySpaces: KeySpaces, onMoment: () => void): Promise<void> {
    const confirm = (): Promise<void> | undefined => this.#lock?.confirm();
    try {
      await writeSnapshot(this.path, keySpaces, onMoment, { confirm: async () => confirm() });
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
    return await FileLock.take(path, clock);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof FileLockedError) {
      const rule = "a file belongs to one server at a time";
      throw new Error(`snapshot file ${path} is in use: ${message}; ${rule}`, { cause: error });
    }
    // That the directory is missing shows when the file is written.
    if (codeOf(error) !== "ENOENT") {
      const advice = "make sure that no other server uses it";
      process.emitWarning(`snapshot file ${path} cannot be locked: ${message}; ${advice}`);
    }
    return undefined;
  }
}
