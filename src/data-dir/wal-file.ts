import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const BUFFER_BYTES = 1 << 18;

/** A file that is read once, from its beginning, with bounded memory. */
export class WalFile implements Disposable {
  readonly path: string;
  readonly #fd: number;
  readonly #size: number;
  /** Bytes that were read from the file, up to {@link #read}. */
  #buffered = Buffer.alloc(0);
  #read = 0;

  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, "r");
    this.#size = fstatSync(this.#fd).size;
  }

  /** Position of the next byte. */
  get offset(): number {
    return this.#read - this.#buffered.length;
  }

  /** Number of bytes up to the end of the file. */
  get remaining(): number {
    return this.#size - this.offset;
  }

  /** Returns the next bytes, at most up to the end of the file, and stays before them. */
  peek(length: number): Buffer {
    const wanted = Math.min(length, this.remaining);
    if (wanted > this.#buffered.length) this.#fill(wanted);
    return this.#buffered.subarray(0, wanted);
  }

  /** Moves behind bytes that {@link peek} returned. */
  skip(length: number): void {
    this.#buffered = this.#buffered.subarray(length);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #fill(wanted: number): void {
    const kept = this.#buffered;
    const target = Buffer.allocUnsafe(
      Math.min(Math.max(wanted, BUFFER_BYTES), kept.length + this.#size - this.#read),
    );
    kept.copy(target);
    let length = kept.length;
    while (length < target.length) {
      const count = readSync(this.#fd, target, length, target.length - length, this.#read);
      if (count === 0) throw new Error(`${this.path} became shorter while it was read`);
      length += count;
      this.#read += count;
    }
    this.#buffered = target;
  }
}
