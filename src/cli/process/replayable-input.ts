import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/**
 * A text that can be read several times: a file, or a copy of the data from a pipe. The text stays the same
 * even if the file is replaced.
 */
export class ReplayableInput implements AsyncDisposable {
  /** The name in messages. */
  readonly name: string;
  readonly #file: FileHandle;

  private constructor(name: string, file: FileHandle) {
    this.name = name;
    this.#file = file;
  }

  /** Opens a file. The data of a pipe, which can be read only once, is copied first. */
  static async open(path: string): Promise<ReplayableInput> {
    const file = await open(path);
    if ((await file.stat()).isFile()) return new ReplayableInput(path, file);
    return await ReplayableInput.of(path, file.createReadStream());
  }

  /** Copies a stream into a file that no other process can open. */
  static async of(name: string, stream: Readable): Promise<ReplayableInput> {
    const file = await copying(name, openNameless);
    try {
      for await (const piece of stream) await copying(name, () => file.writeFile(piece));
      return new ReplayableInput(name, file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  read(): AsyncIterable<string> {
    const options = {
      encoding: "utf8",
      highWaterMark: 1 << 18,
      start: 0,
      autoClose: false,
    } as const;
    return this.#file.createReadStream(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** A file without a name: the system removes it when the process ends, even if it is killed. */
async function openNameless(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), "etcdnet-"));
  try {
    return await open(join(directory, "copy"), "wx+", 0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a step of the copy. @throws Error with advice when it fails */
async function copying<T>(name: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const reason = (error as Error).message;
    const advice = "set TMPDIR to a directory with enough space, or pass a file name";
    throw new Error(`${name}: cannot be copied to ${tmpdir()}: ${reason}; ${advice}`, {
      cause: error,
    });
  }
}
