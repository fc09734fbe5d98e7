import type { KeyValue } from "../../../etcd3/rpcs.js";
import {
  type Bytes,
  type KeyRange,
  type Read,
  type ReadOptions,
  readPage,
} from "../../../etcd3/transaction.js";
import type { OperationResult } from "../../../etcd3/txn-result.js";
import { utf8TextOf } from "../schema/key-schema.js";

/** Number of keys of the first page; later pages have as many keys as give `PAGE_BYTES` bytes. */
const FIRST_PAGE_SIZE = 1000;
/** Maximum bytes of keys and values of a page: 4 MiB as base64, in JSON. */
const PAGE_BYTES = 3 * 1024 * 1024;
/**
 * Divisor after a response that was too large. Each such response costs time, so few must suffice.
 */
const SHRINK_DIVISOR = 8;
/**
 * Maximum number of keys of a page. etcd scans the rest of the range for every page, so pages are
 * large.
 */
const MAX_PAGE_SIZE = 10_000;

/** Receives the keys of a range. */
export interface Pages {
  /** Prefix of the path in each key. */
  readonly prefix: string;
  /** Takes one key. Keys that are not UTF-8 are skipped. */
  add(path: string, kv: KeyValue): void;
  /** The subdirectory that contains a path and whose other keys are not needed. */
  skips?(path: string): string | undefined;
}

/** Reads a range page by page. */
export class PageReader {
  readonly #pages: Pages;
  /** The unread rest of the range. */
  #rest: KeyRange | undefined;
  #size = FIRST_PAGE_SIZE;
  #bytes = PAGE_BYTES;

  constructor(range: KeyRange, pages: Pages) {
    this.#rest = range;
    this.#pages = pages;
  }

  /** The read of the next page; `undefined` at the end. */
  next(options: ReadOptions = {}): Read | undefined {
    return this.#rest && readPage(this.#rest, this.#size, options);
  }

  /**
   * Makes the pages smaller to fit a limit of responses.
   *
   * @returns `false` when they have a single key
   */
  shrink(limit: number): boolean {
    if (this.#size === 1) return false;
    // A response also contains pages of other ranges, and JSON needs a third more.
    this.#bytes = Math.min(this.#bytes, (limit / 4) * (3 / 4));
    this.#size = Math.max(1, Math.floor(this.#size / SHRINK_DIVISOR));
    return true;
  }

  /** Takes the result of the read of {@link next}. */
  take({ kvs, more }: OperationResult): void {
    const end = this.#rest?.range_end ?? "";
    let last: string | undefined;
    for (const kv of kvs) {
      const path = utf8TextOf(kv.key)?.slice(this.#pages.prefix.length);
      if (path !== undefined) this.#pages.add(path, kv);
      last = path;
    }
    const bytes = kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 1);
    this.#size = Math.max(1, Math.min(MAX_PAGE_SIZE, (this.#bytes * kvs.length) / bytes)) | 0;
    const lastKey = kvs.at(-1)?.key;
    const hasMore = more && lastKey !== undefined;
    this.#rest = hasMore ? { key: this.#after(last, lastKey), range_end: end } : undefined;
  }

  /**
   * Skips the rest of a subdirectory when only its existence matters. `0` is the character after
   * `/`.
   */
  #after(path: string | undefined, key: Uint8Array): Bytes {
    const subdirectory = path === undefined ? undefined : this.#pages.skips?.(path);
    return subdirectory === undefined ? keyAfter(key) : `${this.#pages.prefix}${subdirectory}0`;
  }
}

/** The next key in byte order. */
export function keyAfter(key: Uint8Array): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}
