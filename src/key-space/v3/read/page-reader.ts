import type { KeyRange } from "../../../etcd3/transaction.js";
import { type Read, readPage } from "../../../etcd3/transaction.js";
import type { KeyValue, OperationResponse } from "../../../etcd3/transaction-answer.js";
import { fromBase64 } from "../../../etcd3/v3-json.js";

/** Keys that are read at first; after that, as many as make pages of this length. */
const FIRST_PAGE = 1000;
const PAGE_LENGTH = 4 * 1024 * 1024;
/** A page that is too large takes as long as the largest answer: a few of them must be enough. */
const SHRINKING = 8;
/** etcd walks over what is left of a range with each page: longer ones are fewer. */
const LARGEST_PAGE = 10_000;

/** What the keys of a range are for. */
export interface Pages {
  /** Text that stands before the path in each key. */
  readonly prefix: string;
  /** Takes one key. Keys that are not UTF-8 are passed over. */
  add(path: string, kv: KeyValue): void;
  /** The subdirectory on a path of which no more keys are wanted. */
  skips?(path: string): string | undefined;
}

/** Reads a range page by page. */
export class PageReader {
  readonly #pages: Pages;
  /** What is left to read. */
  #rest: KeyRange | undefined;
  #size = FIRST_PAGE;
  #length = PAGE_LENGTH;

  constructor(range: KeyRange, pages: Pages) {
    this.#rest = range;
    this.#pages = pages;
  }

  /** The operation that reads the next page; nothing at the end. */
  next(options = {}): Read | undefined {
    return this.#rest && readPage(this.#rest, this.#size, options);
  }

  /** Makes pages shorter for a limit on answers; `false` when they have a single key. */
  shrink(limit: number): boolean {
    if (this.#size === 1) return false;
    // An answer has pages of other ranges, too.
    this.#length = Math.min(this.#length, limit / 4);
    this.#size = Math.max(1, Math.floor(this.#size / SHRINKING));
    return true;
  }

  take({ found, more }: OperationResponse): void {
    const end = this.#rest?.range_end ?? "";
    let last: string | undefined;
    for (const kv of found) {
      const path = fromBase64(kv.key)?.slice(this.#pages.prefix.length);
      if (path !== undefined) this.#pages.add(path, kv);
      last = path;
    }
    const length = found.reduce((sum, { key, value }) => sum + key.length + value.length, 1);
    this.#size = Math.max(1, Math.min(LARGEST_PAGE, (this.#length * found.length) / length)) | 0;
    const lastKey = found.at(-1)?.key;
    const goesOn = more && lastKey !== undefined;
    this.#rest = goesOn ? { key: this.#after(last, lastKey), range_end: end } : undefined;
  }

  /** A subdirectory of which only the existence counts is skipped. `0` follows `/`. */
  #after(path: string | undefined, key: string): string {
    const subdirectory = path === undefined ? undefined : this.#pages.skips?.(path);
    if (subdirectory !== undefined) {
      return Buffer.from(`${this.#pages.prefix}${subdirectory}0`).toString("base64");
    }
    return keyAfter(key);
  }
}

/** The least key that is greater. */
export function keyAfter(key: string): string {
  return Buffer.concat([Buffer.from(key, "base64"), Buffer.of(0)]).toString("base64");
}
