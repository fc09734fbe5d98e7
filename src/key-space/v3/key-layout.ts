import { fromBase64, toBase64 } from "./v3-json.js";

/** Keys from one to, but without, another, in base64 as v3's JSON has them. */
export interface KeyRange {
  readonly key: string;
  readonly range_end: string;
}

/** What v2 has no path for: empty, `.` and `..` segments, and so `/` at the end. */
const UNREACHABLE = /\/\.{0,2}(?:\/|$)/;

/** etcd takes so many comparisons in one transaction that a new node can have this many levels. */
export const MAX_DEPTH = 62;

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
    this.action = toBase64(`${this.#records}action`);
    this.offset = toBase64(`${this.#records}offset`);
    this.heartbeat = toBase64(`${this.#records}heartbeat`);
  }

  /** The tree and our records together. */
  get everything(): KeyRange {
    return { key: toBase64(`${this.#prefix}\0`), range_end: toBase64(`${this.#prefix}0`) };
  }

  /** For the root, which v3 has no key for, one that never exists. */
  file(path: string): string {
    return toBase64(path === "" ? `${this.#records}root` : this.#prefix + path);
  }

  filesBelow(path: string): KeyRange {
    return below(this.#prefix + path);
  }

  marker(path: string): string {
    return toBase64(`${this.#records}d${path}`);
  }

  markersBelow(path: string): KeyRange {
    return below(`${this.#records}d${path}`);
  }

  order(path: string): string {
    return toBase64(`${this.#records}o${path}`);
  }

  ordersBelow(path: string): KeyRange {
    return below(`${this.#records}o${path}`);
  }

  /** What stands before the path in the key of a file. */
  get filePrefix(): string {
    return this.#prefix;
  }

  /** What stands before the path in the key of a marker. */
  get markerPrefix(): string {
    return `${this.#records}d`;
  }

  /** What stands before the path in the key of an order record. */
  get orderPrefix(): string {
    return `${this.#records}o`;
  }

  /** What a key of the range is for; nothing for what is neither v2's nor ours. */
  whatIs(key: string): Meaning | undefined {
    const text = fromBase64(key);
    if (text === undefined || !text.startsWith(this.#prefix)) return undefined;
    if (text.startsWith(this.#records)) return meaningOf(text.slice(this.#records.length));
    return { kind: "file", path: text.slice(this.#prefix.length) };
  }
}

/** What one of the keys of the range is for. Of what `kind` says, `path` is v2's. */
export interface Meaning {
  readonly kind: "file" | "marker" | "order" | "action";
  readonly path: string;
}

function meaningOf(name: string): Meaning | undefined {
  if (name === "action") return { kind: "action", path: "" };
  const kind = KINDS.get(name.slice(0, 2));
  return kind && { kind, path: name.slice(1) };
}

const KINDS: ReadonlyMap<string, Meaning["kind"]> = new Map([
  ["d/", "marker"],
  ["o/", "order"],
]);

/** Whether a v2 request can name a path: it is not too deep and has no empty, `.` or `..` segment. */
export function isReachable(path: string): boolean {
  return path.startsWith("/") && levelsOf(path) <= MAX_DEPTH && !UNREACHABLE.test(path);
}

/** Levels of a path; 0 for the root. */
export function levelsOf(path: string): number {
  let levels = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) levels++;
  return levels;
}

/** `0` is the character that follows `/`. */
function below(start: string): KeyRange {
  return { key: toBase64(`${start}/`), range_end: toBase64(`${start}0`) };
}
