import { isUtf8 } from "node:buffer";

/** Keys from one to, but without, another, in base64 as v3's JSON has them. */
export interface KeyRange {
  readonly key: string;
  readonly range_end: string;
}

/** What v2 has no path for: empty, `.` and `..` segments, and so `/` at the end. */
const UNREACHABLE = /\/(?:\.{0,2})(?:\/|$)/;

/** Where everything lies in v3's key space: see docs/v3.md. Paths are v2's, the root's is empty. */
export class KeyLayout {
  readonly #prefix: string;
  readonly #records: string;
  /** The action record. */
  readonly action: string;
  /** What is added to revisions. */
  readonly offset: string;
  /** What is written only to be seen by watches. */
  readonly heartbeat: string;

  constructor(keyPrefix = "") {
    this.#prefix = keyPrefix;
    this.#records = `${keyPrefix}\0etcdnet/`;
    this.action = base64(`${this.#records}action`);
    this.offset = base64(`${this.#records}offset`);
  }

  /** The tree and our records together. */
  get everything(): KeyRange {
    return { key: base64(`${this.#prefix}\0`), range_end: base64(`${this.#prefix}0`) };
  }

  file(path: string): string {
    return base64(this.#prefix + path);
  }

  filesBelow(path: string): KeyRange {
    return below(this.#prefix + path);
  }

  marker(path: string): string {
    return base64(`${this.#records}d${path}`);
  }

  markersBelow(path: string): KeyRange {
    return below(`${this.#records}d${path}`);
  }

  order(path: string): string {
    return base64(`${this.#records}o${path}`);
  }

  ordersBelow(path: string): KeyRange {
    return below(`${this.#records}o${path}`);
  }

  /** Path of a file; nothing for a key that v2 has no path for. */
  pathOfFile(key: string): string | undefined {
    return pathIn(key, this.#prefix.length);
  }

  /** Path of a directory by its marker; nothing for a key that v2 has no path for. */
  pathOfMarker(key: string): string | undefined {
    return pathIn(key, this.#records.length + 1);
  }
}

/** Text as v3's JSON has keys and values. */
export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Text of a value; what is not UTF-8 reads U+FFFD, as with etcd v2. */
export function textOf(value: string): string {
  return Buffer.from(value, "base64").toString();
}

/** `0` is the character that follows `/`. */
function below(start: string): KeyRange {
  return { key: base64(`${start}/`), range_end: base64(`${start}0`) };
}

function pathIn(key: string, prefixLength: number): string | undefined {
  const bytes = Buffer.from(key, "base64");
  if (!isUtf8(bytes)) return undefined;
  const path = bytes.toString().slice(prefixLength);
  return UNREACHABLE.test(path) ? undefined : path;
}
