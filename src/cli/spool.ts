import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A text that can be read more than once: a file, or what came from a pipe and was put into one. */
export class Spool implements AsyncDisposable {
  /** As messages name it. */
  readonly name: string;
  readonly #file: string;
  readonly #directory: string | undefined;

  private constructor(name: string, file: string, directory?: string) {
    this.name = name;
    this.#file = file;
    this.#directory = directory;
  }

  static existing(file: string): Spool {
    return new Spool(file, file);
  }

  /** Reads a stream to its end, into a directory that nobody else can read. */
  static async of(stream: Readable): Promise<Spool> {
    const directory = await mkdtemp(join(tmpdir(), "etcdnet-"));
    const spool = new Spool("standard input", join(directory, "spool"), directory);
    await pipeline(stream, createWriteStream(spool.#file));
    return spool;
  }

  read(): AsyncIterable<string> {
    return createReadStream(this.#file, { encoding: "utf8", highWaterMark: 1 << 18 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true });
  }
}
