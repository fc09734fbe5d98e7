import { readFileSync, statSync } from "node:fs";
import { fileVersion } from "./file-version.js";

/**
 * A small file that may be replaced while this process runs, such as a certificate. A symbolic link is
 * followed each time.
 */
export class ReloadableFile {
  readonly path: string;
  #content: Buffer | undefined;
  /** Identifies the version of the file that was read. `undefined`: read it again. */
  #version: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** The content. Reads the file only if it was never read, or has changed. @throws the error of `fs` */
  read(): Buffer {
    const stats = statSync(this.path);
    // The data of a pipe, as from a shell's <(…), can be read only once.
    if (this.#content !== undefined && !stats.isFile()) return this.#content;
    const version = fileVersion(stats, Date.now());
    if (this.#content === undefined || version === undefined || version !== this.#version) {
      this.#content = readFileSync(this.path);
      this.#version = version;
    }
    return this.#content;
  }
}
