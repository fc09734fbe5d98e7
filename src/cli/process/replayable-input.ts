import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/**
 * A text that can be read more than once: a file, or a copy of what came from a pipe. It stays the
 * same text even when another file takes the place of the first.
 */
export class ReplayableInput implements AsyncDisposable {
  /** As messages name it. */
  readonly name: string;
  readonly #file: FileHandle;

  private constructor(name: string, file: FileHandle) {
    this.name = name;
    this.#file = file;
  }

  /** Opens a file; a copy of what it holds where it is a pipe, which can be read only once. */
  static async open(path: string): Promise<ReplayableInput> {
    const file = await open(path);
    if ((await file.stat()).isFile()) return new ReplayableInput(path, file);
    return await ReplayableInput.of(path, file.createReadStream());
  }

  /** Copies a stream into a file that nobody else can read. */
  static async of(name: string, stream: Readable): Promise<ReplayableInput> {
    const file = await kept(name, openNameless);
    try {
      for await (const piece of stream) await kept(name, () => file.writeFile(piece));
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

/** A file without a name: the system removes it with the process, however that ends. */
async function openNameless(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), "etcdnet-"));
  try {
    return await open(join(directory, "copy"), "wx+", 0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A step of making the copy. @throws Error that says what is to be done when it fails */
async function kept<T>(name: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const reason = (error as Error).message;
    const advice = "set TMPDIR to a directory with enough space, or name a file";
    throw new Error(`${name}: cannot be copied to ${tmpdir()}: ${reason}; ${advice}`, {
      cause: error,
    });
  }
}
