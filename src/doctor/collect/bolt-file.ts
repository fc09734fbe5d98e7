import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const PAGE_HEADER_BYTES = 16;
const META_BYTES = 64;
const ELEMENT_BYTES = 16;
const MAGIC = 0xed0cdaed;
const FORMAT_VERSION = 2;
/** Flags of pages, and of an element that is a bucket. */
const BRANCH = 1;
const LEAF = 2;
const BUCKET = 1;
/** The sizes of pages that operating systems have. */
const PAGE_SIZES = [4096, 8192, 16_384, 32_768, 65_536];
/** Limits for a damaged file: etcd's buckets that are read here are small. */
const MAX_DEPTH = 32;
const MAX_PAGES = 100_000;
const MAX_PAGE_BYTES = 64 * 1024 ** 2;

interface Meta {
  readonly pageSize: number;
  readonly root: number;
  readonly transaction: bigint;
}

interface Element {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly isBucket: boolean;
}

/** Reads a database of bbolt, in which etcd has its v3 store. Takes no lock, and writes nothing. */
export class BoltFile implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #size: number;
  readonly #meta: Meta;
  #pages = 0;

  /** @throws Error for a file that is no valid database */
  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, "r");
    try {
      this.#size = fstatSync(this.#fd).size;
      this.#meta = this.#readMeta();
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** The keys and values of a bucket; empty if it does not exist. @throws Error for a damaged file */
  bucket(name: string): ReadonlyMap<string, Buffer> {
    this.#pages = 0;
    const found = new Map<string, Buffer>();
    for (const { key, value, isBucket } of this.#elementsBelow(this.#meta.root, 0)) {
      if (!isBucket || key.toString("latin1") !== name) continue;
      for (const element of this.#elementsIn(value)) {
        if (!element.isBucket) found.set(element.key.toString("latin1"), element.value);
      }
    }
    return found;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** The two newest transactions have a meta page each. An interrupted write damages at most one. */
  #readMeta(): Meta {
    const metas = PAGE_SIZES.flatMap((size) => [this.#metaAt(0, size), this.#metaAt(size, size)]);
    const [newest] = metas
      .filter((meta) => meta !== undefined)
      .sort((a, b) => (a.transaction < b.transaction ? 1 : -1));
    if (newest === undefined) throw this.#damaged("it has no valid meta page");
    return newest;
  }

  #metaAt(offset: number, pageSize: number): Meta | undefined {
    if (offset + PAGE_HEADER_BYTES + META_BYTES > this.#size) return undefined;
    const meta = this.#read(offset + PAGE_HEADER_BYTES, META_BYTES);
    const isMeta =
      meta.readUInt32LE(0) === MAGIC &&
      meta.readUInt32LE(4) === FORMAT_VERSION &&
      meta.readUInt32LE(8) === pageSize &&
      meta.readBigUInt64LE(56) === fnv64a(meta.subarray(0, 56));
    if (!isMeta) return undefined;
    const root = Number(meta.readBigUInt64LE(16));
    return { pageSize, root, transaction: meta.readBigUInt64LE(48) };
  }

  /** A bucket is the number of its root page or, if it is small, the page itself. */
  *#elementsIn(bucket: Buffer): Generator<Element, void, undefined> {
    if (bucket.length < PAGE_HEADER_BYTES) throw this.#damaged("a bucket is not complete");
    const root = Number(bucket.readBigUInt64LE(0));
    if (root !== 0) yield* this.#elementsBelow(root, 0);
    else yield* this.#leafElements(bucket.subarray(PAGE_HEADER_BYTES));
  }

  *#elementsBelow(number: number, depth: number): Generator<Element, void, undefined> {
    if (depth > MAX_DEPTH || ++this.#pages > MAX_PAGES)
      throw this.#damaged("its pages form a cycle");
    const page = this.#page(number);
    const flags = page.readUInt16LE(8);
    if (flags === LEAF) yield* this.#leafElements(page);
    else if (flags === BRANCH) {
      const count = this.#count(page);
      for (
        let at = PAGE_HEADER_BYTES;
        at < PAGE_HEADER_BYTES + count * ELEMENT_BYTES;
        at += ELEMENT_BYTES
      ) {
        yield* this.#elementsBelow(Number(page.readBigUInt64LE(at + 8)), depth + 1);
      }
    } else throw this.#damaged(`page ${number} has the unknown type ${flags}`);
  }

  *#leafElements(page: Buffer): Generator<Element, void, undefined> {
    const count = this.#count(page);
    for (
      let at = PAGE_HEADER_BYTES;
      at < PAGE_HEADER_BYTES + count * ELEMENT_BYTES;
      at += ELEMENT_BYTES
    ) {
      const start = at + page.readUInt32LE(at + 4);
      const middle = start + page.readUInt32LE(at + 8);
      const end = middle + page.readUInt32LE(at + 12);
      if (end > page.length) throw this.#damaged("a key lies outside of its page");
      const isBucket = (page.readUInt32LE(at) & BUCKET) !== 0;
      yield { key: page.subarray(start, middle), value: page.subarray(middle, end), isBucket };
    }
  }

  #count(page: Buffer): number {
    const count = page.length < PAGE_HEADER_BYTES ? 0 : page.readUInt16LE(10);
    if (PAGE_HEADER_BYTES + count * ELEMENT_BYTES > page.length) {
      throw this.#damaged("a page has more keys than it can hold");
    }
    return count;
  }

  #page(number: number): Buffer {
    const { pageSize } = this.#meta;
    const offset = number * pageSize;
    if (!Number.isSafeInteger(offset) || offset + pageSize > this.#size) {
      throw this.#damaged(`page ${number} lies behind its end`);
    }
    const overflow = this.#read(offset, PAGE_HEADER_BYTES).readUInt32LE(12);
    const length = (overflow + 1) * pageSize;
    if (length > MAX_PAGE_BYTES || offset + length > this.#size) {
      throw this.#damaged(`page ${number} is too long`);
    }
    return this.#read(offset, length);
  }

  #read(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    if (readSync(this.#fd, bytes, 0, length, offset) < length)
      throw this.#damaged("it is too short");
    return bytes;
  }

  #damaged(problem: string): Error {
    return new Error(`${this.#path} is not a valid v3 store: ${problem}`);
  }
}

/** The checksum of a meta page. */
function fnv64a(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
