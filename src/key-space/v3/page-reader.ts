import type { KeyRange } from "./key-layout.js";
import type { Listing } from "./listing.js";
import { type Read, readPage } from "./transaction.js";
import type { KeyValue, OperationAnswer } from "./transaction-answer.js";
import { fromBase64 } from "./v3-json.js";

/** Keys that are read at a time. */
const PAGE_SIZE = 1000;

/** Reads one range of a listing, page by page. */
export class PageReader {
  readonly #listing: Listing;
  readonly #add: (path: string, kv: KeyValue) => void;
  readonly #prefix: string;
  /** What is left to read. */
  #rest: KeyRange | undefined;

  /** Keys are paths after `prefix`, a text. */
  constructor(
    range: KeyRange,
    prefix: string,
    listing: Listing,
    add: (path: string, kv: KeyValue) => void,
  ) {
    this.#rest = range;
    this.#prefix = prefix;
    this.#listing = listing;
    this.#add = add;
  }

  /** The operation that reads the next page; nothing at the end. */
  next(options = {}): readonly Read[] {
    return this.#rest === undefined ? [] : [readPage(this.#rest, PAGE_SIZE, options)];
  }

  take({ found, more }: OperationAnswer): void {
    const end = this.#rest?.range_end ?? "";
    let last: string | undefined;
    for (const kv of found) {
      const path = fromBase64(kv.key)?.slice(this.#prefix.length);
      if (path !== undefined) this.#add(path, kv);
      last = path;
    }
    const lastKey = found.at(-1)?.key;
    const goesOn = more && lastKey !== undefined;
    this.#rest = goesOn ? { key: this.#after(last, lastKey), range_end: end } : undefined;
  }

  /** A subdirectory of which only the existence counts is skipped. `0` follows `/`. */
  #after(path: string | undefined, key: string): string {
    const subdirectory = path === undefined ? undefined : this.#listing.subdirectoryOn(path);
    if (subdirectory !== undefined) {
      return Buffer.from(`${this.#prefix}${subdirectory}0`).toString("base64");
    }
    return Buffer.concat([Buffer.from(key, "base64"), Buffer.of(0)]).toString("base64");
  }
}
