import type { KeyRange } from "../../../etcd3/transaction.js";
import { fromBase64, toBase64 } from "../../../etcd3/v3-json.js";
import { percentEncode } from "../../../wire/key-path.js";

/** Levels of the deepest path: etcd takes 128 comparisons in the transaction that makes a node. */
export const MAX_DEPTH = 62;

/** Segments that v2 has no path for: empty, `.` and `..`, and so `/` at the end. */
const UNREACHABLE = /\/\.{0,2}(?:\/|$)/;

/**
 * Beginning of the keys that belong to no tree. `_` is greater than `/`, so that no range of a tree
 * holds them: a tree's range ends at the prefix and `0`, and no prefix may begin like this.
 */
const OUTSIDE = "etcdnet_";
/** Beginning of the keys that name the prefixes in use. */
const TREES = `${OUTSIDE}trees/`;

/**
 * Prefix of the key space that keeps the users and roles of the gateways of a prefix. No range of
 * another prefix's users holds it: the encoded prefix has no `=`.
 */
export function authPrefix(keyPrefix: string): string {
  return `${OUTSIDE}auth/${percentEncode(keyPrefix)}=`;
}

/** Whether a prefix would put a tree over the keys that belong to none. */
export function isReservedPrefix(keyPrefix: string): boolean {
  return keyPrefix.startsWith(OUTSIDE);
}

/** Where everything lies in v3's key space: see docs/v3.md. Paths are v2's, the root's is empty. */
export class KeySchema {
  readonly #prefix: string;
  readonly #records: string;
  /** The action record. */
  readonly action: string;
  /** What is added to revisions. */
  readonly offset: string;
  /** What is written only to be seen by watches. */
  readonly heartbeat: string;
  /** Names the prefix as one in use; none for a tree that is part of another's administration. */
  readonly tree: string | undefined;

  constructor(keyPrefix = "") {
    this.#prefix = keyPrefix;
    this.#records = `${keyPrefix}\0etcdnet/`;
    this.action = toBase64(`${this.#records}action`);
    this.offset = toBase64(`${this.#records}offset`);
    this.heartbeat = toBase64(`${this.#records}heartbeat`);
    this.tree = isReservedPrefix(keyPrefix) ? undefined : treeKey(keyPrefix);
  }

  get keyPrefix(): string {
    return this.#prefix;
  }

  /** What {@link tree} is for the prefixes of which each holds this whole tree in its own. */
  get outerTrees(): readonly string[] {
    const ends = [...this.#prefix.matchAll(/\//g)].map(({ index }) => index);
    return ends.map((end) => treeKey(this.#prefix.slice(0, end)));
  }

  /** What {@link tree} is for any prefix that lies in this tree. */
  get innerTrees(): KeyRange {
    const start = `${TREES}${percentEncode(this.#prefix)}%2`;
    return { key: toBase64(`${start}F`), range_end: toBase64(`${start}G`) };
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
  decode(key: string): DecodedKey | undefined {
    if (key === this.action) return { kind: "action", path: "" };
    const text = fromBase64(key);
    if (text === undefined || !text.startsWith(this.#prefix)) return undefined;
    const meaning = text.startsWith(this.#records)
      ? decodeKey(text.slice(this.#records.length))
      : ({ kind: "file", path: text.slice(this.#prefix.length) } as const);
    return meaning && isReachable(meaning.path) ? meaning : undefined;
  }
}

/** The prefix that {@link KeySchema.tree} names. */
export function prefixOfTree(key: string): string {
  const text = fromBase64(key)?.slice(TREES.length) ?? "";
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function treeKey(keyPrefix: string): string {
  return toBase64(TREES + percentEncode(keyPrefix));
}

/** What one of the keys of the range is for. Of what `kind` says, `path` is v2's. */
export interface DecodedKey {
  readonly kind: "file" | "marker" | "order" | "action";
  readonly path: string;
}

function decodeKey(name: string): DecodedKey | undefined {
  const kind = KINDS.get(name.slice(0, 2));
  return kind && { kind, path: name.slice(1) };
}

const KINDS: ReadonlyMap<string, DecodedKey["kind"]> = new Map([
  ["d/", "marker"],
  ["o/", "order"],
]);

/**
 * Whether a node can be at a path. Keys with other paths do not exist in v2. A zero character stands
 * between a prefix and its records, so a path that holds one could name the records of another prefix.
 */
export function isReachable(path: string): boolean {
  return (
    path.startsWith("/") &&
    !path.includes("\0") &&
    !UNREACHABLE.test(path) &&
    levelsOf(path) <= MAX_DEPTH
  );
}

/** Levels between the root, which has none, and a node. */
export function levelsOf(path: string): number {
  let levels = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) levels++;
  return levels;
}

/** `0` is the character that follows `/`. */
function below(start: string): KeyRange {
  return { key: toBase64(`${start}/`), range_end: toBase64(`${start}0`) };
}
