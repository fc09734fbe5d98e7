import type { DataLocation } from "../key-space/data-location.js";
import { levelsOf } from "../key-space/v3/schema/key-schema.js";
import { topmostLoss } from "../transfer/compare/loss.js";
import type { Checked } from "./checked.js";

/** A node of the v2 store. */
export interface V2Node {
  readonly key: string;
  /** Present on files only. */
  readonly value?: string;
  readonly hasTtl: boolean;
  /** Whether key and value are UTF-8, as far as that is known. */
  readonly isText: boolean;
}

/** A key, and a number that belongs to it. */
export interface Extreme {
  readonly key: string;
  readonly size: number;
}

/** Keys of one kind: how many, and the first of them. */
export interface Keys {
  readonly count: number;
  readonly examples: readonly string[];
}

/** What applications have in the v2 store. */
export interface V2Facts {
  readonly files: number;
  readonly directories: number;
  readonly withTtl: number;
  /** Bytes of keys and values. */
  readonly bytes: number;
  /** The keys directly below the root, without hidden ones. */
  readonly tops: Keys;
  /** Hidden keys that are not below a hidden key. */
  readonly hidden: Checked<Keys>;
  /** All hidden keys directly below the root, as far as they are known. */
  readonly hiddenTops: readonly string[];
  /** The key with the most levels. */
  readonly deepest: Extreme | undefined;
  /** The key with the largest value, in bytes. */
  readonly largest: Extreme | undefined;
  /** Keys that the v3 key space cannot store. */
  readonly unstorable: Keys;
  /** Keys with values that etcd's v3 API may refuse because of their size. */
  readonly large: Keys;
  /** Keys with a name or a value that is not UTF-8. */
  readonly notText: Keys;
}

/** A list of deletes stays readable up to this length. */
export const MAX_NAMED_TOPS = 20;
const MAX_EXAMPLES = 3;
/** Every etcd with default flags accepts values of this size through v3. */
const SAFE_VALUE_BYTES = 1024 * 1024;
const HIDDEN = /\/_/;
const V3: DataLocation = { clusterId: "", store: "v3", keyPrefix: "", path: "" };

class KeyList implements Keys {
  count = 0;
  readonly examples: string[] = [];
  readonly #max: number;

  constructor(max = MAX_EXAMPLES) {
    this.#max = max;
  }

  add(key: string): void {
    this.count++;
    if (this.examples.length < this.#max) this.examples.push(key);
  }
}

/** Counts the nodes of a v2 store. Its memory does not grow with them. */
export class V2Census {
  #files = 0;
  #directories = 0;
  #withTtl = 0;
  #bytes = 0;
  #deepest: Extreme | undefined;
  #largest: Extreme | undefined;
  readonly #tops = new KeyList(MAX_NAMED_TOPS);
  readonly #hidden = new KeyList(MAX_NAMED_TOPS);
  readonly #hiddenTops: string[] = [];
  readonly #unstorable = new KeyList();
  readonly #large = new KeyList();
  readonly #notText = new KeyList();

  add({ key, value, hasTtl, isText }: V2Node): void {
    const size = value === undefined ? 0 : Buffer.byteLength(value);
    if (value === undefined) this.#directories++;
    else this.#files++;
    if (hasTtl) this.#withTtl++;
    this.#bytes += Buffer.byteLength(key) + size;
    this.#place(key);
    const levels = levelsOf(key);
    if (levels > (this.#deepest?.size ?? 0)) this.#deepest = { key, size: levels };
    if (value !== undefined && size >= (this.#largest?.size ?? 0)) this.#largest = { key, size };
    if (topmostLoss(key, V3) !== undefined) this.#unstorable.add(key);
    if (size > SAFE_VALUE_BYTES) this.#large.add(key);
    if (!isText) this.#notText.add(key);
  }

  /** @param hiddenUnchecked why hidden keys could not be found */
  result(hiddenUnchecked?: string): V2Facts {
    return {
      files: this.#files,
      directories: this.#directories,
      withTtl: this.#withTtl,
      bytes: this.#bytes,
      tops: this.#tops,
      hidden:
        hiddenUnchecked === undefined ? { value: this.#hidden } : { unchecked: hiddenUnchecked },
      hiddenTops: this.#hiddenTops,
      deepest: this.#deepest,
      largest: this.#largest,
      unstorable: this.#unstorable,
      large: this.#large,
      notText: this.#notText,
    };
  }

  #place(key: string): void {
    const isTop = key.lastIndexOf("/") === 0;
    const name = key.slice(key.lastIndexOf("/") + 1);
    const parent = key.slice(0, key.length - name.length - 1);
    if (name.startsWith("_")) {
      if (isTop) this.#hiddenTops.push(key);
      if (!HIDDEN.test(parent)) this.#hidden.add(key);
    } else if (isTop) this.#tops.add(key);
  }
}

/** Whether nobody has anything in the store, as far as it was checked. */
export function isEmpty({ files, directories }: V2Facts): boolean {
  return files === 0 && directories === 0;
}
